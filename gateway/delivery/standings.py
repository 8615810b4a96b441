"""Tickets in memory: by their name, their purchase and their screening. Nothing here waits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable

from catalog.models import Ticket
from catalog.purchases.tickets import Held, Known


class Standing:
    """A ticket as it is now, while `valid`; what is built on it ends with it.

    `holders` are listeners who hold it, None where that was not read; there may be more by now.
    """

    __slots__ = ("holders", "purchase_id", "ticket", "valid")

    def __init__(self, known: Known, holders: frozenset[str] | None) -> None:
        self.ticket: Ticket = known.ticket
        self.purchase_id = known.purchase_id
        self.holders = holders
        self.valid = True

    def held_by(self, listener_id: str) -> bool:
        """Whether the listener is known to hold it."""
        return self.holders is not None and listener_id in self.holders


class Standings:
    """The *limit* tickets that were asked for last."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_name: OrderedDict[str, Standing] = OrderedDict()
        self._by_purchase: dict[int, str] = {}
        self._by_screening: dict[int, set[str]] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def full(self) -> bool:
        """Whether another one costs the one that was not asked for longest."""
        return len(self._by_name) >= self._limit

    def names(self) -> list[str]:
        """Correlation ids of all."""
        return list(self._by_name)

    def look(self, name: str) -> Standing | None:
        """The ticket, if it is kept; that is no asking for it."""
        return self._by_name.get(name)

    def find(self, name: str) -> Standing | None:
        """The ticket, if it is kept, which was asked for."""
        standing = self._by_name.get(name)
        if standing is not None:
            self._by_name.move_to_end(name)
        return standing

    def keep(self, known: Known, holders: frozenset[str] | None, *, current: bool) -> Standing:
        """Remember what was read; the one of before where it says the same.

        Where it is not *current*, it is good for this once: it may have changed meanwhile.
        """
        name = known.ticket.correlation_id
        kept = self.find(name)
        if kept is not None and kept.ticket == known.ticket:
            if current and holders is not None:
                kept.holders = holders
            return kept
        self.drop(name)
        standing = Standing(known, holders)
        if not current:
            standing.valid = False
            return standing
        self._by_name[name] = standing
        self._by_purchase[known.purchase_id] = name
        if known.ticket.screening is not None:
            self._by_screening.setdefault(known.ticket.screening.id, set()).add(name)
        if len(self._by_name) > self._limit:
            self.drop(next(iter(self._by_name)))
        return standing

    def drop(self, name: str) -> None:
        """Forget a ticket, and end what is built on it."""
        standing = self._by_name.pop(name, None)
        if standing is None:
            return
        standing.valid = False
        del self._by_purchase[standing.purchase_id]
        if standing.ticket.screening is not None:
            its = self._by_screening[standing.ticket.screening.id]
            its.discard(name)
            if not its:
                del self._by_screening[standing.ticket.screening.id]

    def of_purchase(self, row: int | None) -> Collection[str]:
        """The ticket of a purchase, by its row."""
        return (self._by_purchase[row],) if row in self._by_purchase else ()

    def of_screening(self, row: int | None) -> Collection[str]:
        """The tickets for a screening, by its row."""
        return () if row is None else tuple(self._by_screening.get(row, ()))


def by_ticket(held: Iterable[Held]) -> list[tuple[Known, frozenset[str]]]:
    """Each ticket once, with all who hold it."""
    found: dict[str, tuple[Known, set[str]]] = {}
    for each in held:
        name = each.ticket.correlation_id
        if name not in found:
            found[name] = Known(each.purchase_id, each.ticket), set()
        found[name][1].add(each.listener_id)
    return [(known, frozenset(holders)) for known, holders in found.values()]
