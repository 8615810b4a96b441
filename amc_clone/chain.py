"""The chain's theaters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from amc_clone.models import Theater


@dataclass(frozen=True, slots=True)
class House:
    """A theater and how many auditoriums it has; they are numbered from 1.

    The last `kept_free` of them have no programme: they are for whoever adds a screening.
    """

    theater: Theater
    auditoriums: int
    kept_free: int

    @property
    def auditorium_numbers(self) -> tuple[str, ...]:
        """The numbers on the doors."""
        return tuple(str(number) for number in range(1, self.auditoriums + 1))

    @property
    def programmed_numbers(self) -> tuple[str, ...]:
        """The numbers of those with a programme."""
        return self.auditorium_numbers[: self.auditoriums - self.kept_free]


def _house(
    place_id: str, name: str, city: str, time_zone: str, auditoriums: int, kept_free: int = 1
) -> House:
    return House(Theater(place_id, name, city, time_zone), auditoriums, kept_free)


# Phoenix keeps one time all year, the others change to summer time.
HOUSES: Final[tuple[House, ...]] = (
    _house("hudson-street-12", "Hudson Street 12", "New York", "America/New_York", 12, 2),
    _house("lakeshore-10", "Lakeshore 10", "Chicago", "America/Chicago", 10),
    _house("larimer-square-8", "Larimer Square 8", "Denver", "America/Denver", 8),
    _house("saguaro-plaza-4", "Saguaro Plaza 4", "Phoenix", "America/Phoenix", 4),
    _house("sunset-and-vine-9", "Sunset & Vine 9", "Los Angeles", "America/Los_Angeles", 9),
)
