"""The exit codes, and which error has which: docs/packaging.md explains them."""

from __future__ import annotations

from enum import IntEnum

from packager.errors import (
    DamagedVersionError,
    EncodeError,
    LintTargetError,
    NotPublishedError,
    PackagerError,
    PublishError,
    ReportError,
    SourceError,
    TimingError,
    ToolMissingError,
    TrackBusyError,
    UnknownFindingError,
    VerifyError,
    WorkFolderError,
)


class Exit(IntEnum):
    """How a command ended; 1 is a fault of ours, with a traceback."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    SOURCE = 3
    CHECK = 4
    STORAGE = 5
    TOOL = 6
    BUSY = 7
    ABSENT = 8
    INTERRUPTED = 130
    TERMINATED = 143


# The first class that fits; a PackagerError that is none of these is of the encoder's kind.
_CODES: tuple[tuple[type[PackagerError], Exit], ...] = (
    (TimingError, Exit.USAGE),
    (UnknownFindingError, Exit.USAGE),
    (SourceError, Exit.SOURCE),
    (EncodeError, Exit.CHECK),
    (VerifyError, Exit.CHECK),
    (DamagedVersionError, Exit.CHECK),
    (PublishError, Exit.STORAGE),
    (WorkFolderError, Exit.STORAGE),
    (ReportError, Exit.STORAGE),
    (ToolMissingError, Exit.TOOL),
    (TrackBusyError, Exit.BUSY),
    (NotPublishedError, Exit.ABSENT),
    (LintTargetError, Exit.ABSENT),
    (PackagerError, Exit.CHECK),
)


def exit_code(error: PackagerError) -> Exit:
    """The code that the program ends with."""
    return next(code for kind, code in _CODES if isinstance(error, kind))
