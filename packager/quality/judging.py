"""Making findings: the configured severity of each code, and whether the operator accepts it."""

from __future__ import annotations

from dataclasses import dataclass

from packager.errors import UnknownFindingError
from packager.quality.findings import Finding, Severity
from packager.quality.settings import CODES, QualitySection


@dataclass(frozen=True, slots=True)
class Judge:
    """Knows the limits, the severities and what is accepted."""

    settings: QualitySection
    accepted: frozenset[str]

    def __post_init__(self) -> None:
        for code in sorted(self.accepted - CODES):
            raise UnknownFindingError(code, sorted(CODES))

    def find(
        self,
        code: str,
        what: str,
        mend: str,
        *,
        at_s: float | None = None,
        until_s: float | None = None,
    ) -> Finding:
        """Make the finding *code*."""
        return Finding(
            code=code,
            severity=Severity(getattr(self.settings.severities, code.replace("-", "_"))),
            at_s=None if at_s is None else round(at_s, 3),
            until_s=None if until_s is None else round(until_s, 3),
            what=what,
            mend=mend,
            accepted=code in self.accepted,
        )


def clock(seconds: float) -> str:
    """Time as people read it: 1:35:20.5, or 4:07.0 below an hour."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    shown = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minutes:02}:{shown}" if hours else f"{minutes}:{shown}"
