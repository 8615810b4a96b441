"""The table of rules: each one an id, a severity, its source, its mend, and a pure check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from packager.lint.findings import Finding, Severity
from packager.lint.presentation import Presentation


class Fault(NamedTuple):
    """A place where a rule is not kept: playlist or file, line (None: no line), what is there."""

    where: str
    line: int | None
    what: str


Check = Callable[[Presentation], Iterable[Fault]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `check` is pure: all that it needs was read before."""

    id: str
    family: str
    severity: Severity
    source: str
    mend: str
    check: Check

    @property
    def summary(self) -> str:
        """What the rule asks, in one line: the first of its check's docstring."""
        return (self.check.__doc__ or "").strip().partition("\n")[0]

    def findings(self, presentation: Presentation) -> Iterator[Finding]:
        """Yield every place where the rule is not kept."""
        for fault in self.check(presentation):
            yield Finding(
                rule=self.id,
                severity=self.severity,
                source=self.source,
                where=fault.where,
                line=fault.line,
                what=fault.what,
                mend=self.mend,
            )


class Family:
    """Rules of one kind, in the order in which they are written down."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._rules: list[Rule] = []

    @property
    def rules(self) -> Sequence[Rule]:
        """The rules so far."""
        return tuple(self._rules)

    def error(self, rule_id: str, source: str, mend: str) -> Callable[[Check], Check]:
        """Register a check whose faults break players or a MUST."""
        return self._register(rule_id, Severity.ERROR, source, mend)

    def warning(self, rule_id: str, source: str, mend: str) -> Callable[[Check], Check]:
        """Register a check whose faults break a SHOULD."""
        return self._register(rule_id, Severity.WARNING, source, mend)

    def _register(
        self, rule_id: str, severity: Severity, source: str, mend: str
    ) -> Callable[[Check], Check]:
        def register(check: Check) -> Check:
            self._rules.append(Rule(rule_id, self.name, severity, source, mend, check))
            return check

        return register
