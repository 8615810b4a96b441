"""How long to wait before the next try. Pure but for the dice, which come in."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow from `first_s` by `growth` up to `max_s`.

    With a growth g the wait stays below (g - 1) of the time that Tell has been down, plus the
    first: at 1.25 a sale arrives within a quarter of the outage, and within `max_s` after any.
    """

    first_s: float = 1.0
    max_s: float = 30.0
    growth: float = 1.25

    def wait_s(self, attempts: int, dice: random.Random) -> float:
        """Seconds to wait after the try number *attempts*, from 1.

        Between 75 and 100 % of the full wait, so that many messages do not come in step.
        """
        # The exponent is bounded: 1.25 ** 4000 is no float any more.
        full_s = min(self.max_s, self.first_s * self.growth ** min(attempts - 1, 200))
        return full_s * dice.uniform(0.75, 1.0)
