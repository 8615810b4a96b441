"""When it is no use asking the partner: a circuit breaker. Pure: time is an argument.

closed: ask. open: the last answers all failed, so nobody asks for a while. half-open: the while is
over and one look-up tries; if it fails too, the next while is twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class BreakerState(StrEnum):
    """What a breaker lets through: everything, nothing, or one trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """After *failures* in a row nobody asks for *first*, then twice as long, at most *longest*.

    A trial that has not ended after *trial* is given up, and another may try.
    """

    failures: int
    first: timedelta
    longest: timedelta
    trial: timedelta


@dataclass(frozen=True, slots=True)
class Breaker:
    """How a breaker stands; each method returns how it stands then."""

    rules: BreakerRules
    failures: int = 0
    opened_at: datetime | None = None
    trips: int = 0
    trial_at: datetime | None = None

    def state(self, now: datetime) -> BreakerState:
        """What it lets through at *now*."""
        if self.opened_at is None:
            return BreakerState.CLOSED
        # Before opened_at: the clock was set back. Trying once is better than waiting for hours.
        if self.opened_at <= now < self._tries_at(self.opened_at):
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN

    def admit(self, now: datetime) -> Breaker | None:
        """Let a look-up through; None where it must not go."""
        if self.opened_at is None:
            return self
        return None if self.waits_until(now) is not None else replace(self, trial_at=now)

    def waits_until(self, now: datetime) -> datetime | None:
        """Until when nothing is let through, as far as is known at *now*; None: it may try now."""
        if self.opened_at is None:
            return None
        if self.state(now) is BreakerState.OPEN:
            return self._tries_at(self.opened_at)
        if self.trial_at is not None and self.trial_at <= now < self.trial_at + self.rules.trial:
            return self.trial_at + self.rules.trial
        return None

    def succeeded(self) -> Breaker:
        """The partner answered: closed, whatever it was."""
        return Breaker(self.rules)

    def failed(self, now: datetime) -> Breaker:
        """A look-up that was let through got no answer."""
        failures = self.failures + 1
        if self.opened_at is None:
            if failures < self.rules.failures:
                return replace(self, failures=failures)
        elif self.state(now) is BreakerState.OPEN:
            # Let through before it opened: it tells nothing new.
            return self
        return replace(self, failures=failures, opened_at=now, trips=self.trips + 1, trial_at=None)

    def dropped(self) -> Breaker:
        """A look-up that was let through ended without telling anything: another may try."""
        return replace(self, trial_at=None)

    def _tries_at(self, opened_at: datetime) -> datetime:
        # Bounded before it is multiplied: 2 ** 1000 is no timedelta.
        doubled = self.rules.first * (1 << min(self.trips - 1, 20))
        return opened_at + min(doubled, self.rules.longest)
