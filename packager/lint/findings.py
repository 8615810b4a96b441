"""What the linter found, as data, as text for people and as JSON for machines."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum

# One broken habit of a packager shows in every segment of a film: the first places tell it all.
_MOST_PLACES = 5
# Of tell-package's exit codes (packager/cli.py): what was checked is not what it must be.
_EXIT_FOUND = 4


class Severity(StrEnum):
    """How bad: an error breaks players or a MUST, a warning a SHOULD."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a rule is not kept.

    `source` is the document and section that the rule stands in, `where` a playlist or file,
    `line` its line from 1 (None where it has none), `mend` what to do.
    """

    rule: str
    severity: Severity
    source: str
    where: str
    line: int | None
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class LintReport:
    """All that was found in *target*, the worst first.

    `playlists` and `segments` count what was read, `segments_in_all` what the playlists name.
    """

    target: str
    findings: tuple[Finding, ...]
    rules: int
    playlists: int
    segments: int
    segments_in_all: int

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return len(self.findings) - self.errors

    @property
    def exit_code(self) -> int:
        """0: every rule is kept, or warnings alone; 4: at least one error."""
        return _EXIT_FOUND if self.errors else 0

    def text(self) -> str:
        """Text for people, ending in a newline: each finding, then a summary in one line."""
        lines: list[str] = []
        told: Counter[tuple[str, str]] = Counter()
        for finding in self.findings:
            told[finding.rule, finding.where] += 1
            if told[finding.rule, finding.where] > _MOST_PLACES:
                continue
            place = finding.where if finding.line is None else f"{finding.where}:{finding.line}"
            lines += [
                f"{finding.severity}: {finding.rule}: {place}: {finding.what}",
                f"  mend: {finding.mend}",
                f"  rule: {finding.source}",
            ]
        for (rule, where), places in told.items():
            if places > _MOST_PLACES:
                lines.append(f"{rule}: {where}: and {places - _MOST_PLACES} more places")
        read = f"{self.segments} of {self.segments_in_all} media segments"
        lines.append(
            f"{self.target}: {self.errors} errors, {self.warnings} warnings; "
            f"{self.rules} rules, {self.playlists} playlists, {read} read"
        )
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """JSON for machines: all fields, the counts, every finding; ends in a newline."""
        data = {
            "target": self.target,
            "errors": self.errors,
            "warnings": self.warnings,
            "rules": self.rules,
            "playlists": self.playlists,
            "segments": self.segments,
            "segments_in_all": self.segments_in_all,
            "findings": [asdict(finding) for finding in self.findings],
        }
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
