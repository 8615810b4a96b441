"""When a worker that died is started again, and when that is no use. Pure: time is an argument."""

from __future__ import annotations

# One that lived this long was well: what ended it may never come again.
STEADY_S = 10.0
# So many deaths in a row, each soon after its start, are no accident.
GIVE_UP_AFTER = 5
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0


class Restarts:
    """The deaths in one worker's place."""

    def __init__(self) -> None:
        self.early_deaths = 0

    def died(self, lived_s: float) -> None:
        """Note the end of a worker that answered for *lived_s* seconds, 0 for never."""
        self.early_deaths = 0 if lived_s >= STEADY_S else self.early_deaths + 1

    @property
    def pause_s(self) -> float:
        """Seconds to wait before the next start: none after the first death, then ever more."""
        if self.early_deaths < 2:
            return 0.0
        return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (self.early_deaths - 2))

    @property
    def hopeless(self) -> bool:
        """Whether they die at once again and again."""
        return self.early_deaths >= GIVE_UP_AFTER
