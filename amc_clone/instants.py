"""Instants: aware datetimes in UTC inside, RFC 3339 on the wire, whole microseconds at rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Microseconds since 1970 of an aware *instant*, exact (a float would lose some)."""
    return (instant - EPOCH) // _MICROSECOND


def from_us(value_us: int) -> datetime:
    """Aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=value_us)


def rfc3339(instant: datetime) -> str:
    """*instant* in UTC as RFC 3339 5.6 with `Z`; the fraction is left out when it is nought."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
