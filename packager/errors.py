"""Everything that can stop a packaging. The track that is current stays so in every case.

PackagerError
├── ToolMissingError              no ffmpeg or ffprobe that can be run
├── ToolFailedError               ffmpeg ended with an error; stages say what that means
├── SourceError                   the source is refused
│   ├── SourceMissingError
│   ├── SourceFolderError
│   ├── SourceUnreadableError
│   ├── SourceEmptyError
│   ├── SourceFormatError         no sound or film file
│   ├── SourceSilentError         a film file without an audio track
│   ├── SourceUnfinishedError     does not say how long it is
│   ├── SourceTruncatedError      shorter than it says
│   └── SourceDamagedError        does not decode
├── EncodeError                   the encoder failed
├── VerifyError                   a rendition is not what it must be; nothing was published
├── WorkFolderError               the temporary folder is full or cannot be written
└── PublishError                  the storage is full or failed
"""

from __future__ import annotations

from collections.abc import Sequence


class PackagerError(Exception):
    """Base of all errors of this package.

    `code` is stable, `where` names the file or rendition, `what` says what is wrong, and `mend`
    what the operator can do.
    """

    code = "packager-error"

    def __init__(self, where: str, what: str, mend: str) -> None:
        super().__init__(f"{where}: {what}; {mend}")
        self.where = where
        self.what = what
        self.mend = mend


class ToolMissingError(PackagerError):
    """No ffmpeg or ffprobe that can be run."""

    code = "tool-missing"


class ToolFailedError(PackagerError):
    """A command ended with *returncode*; `last_lines` are the last that it wrote to stderr."""

    code = "tool-failed"

    def __init__(self, where: str, returncode: int, last_lines: Sequence[str]) -> None:
        said = " | ".join(last_lines) or "it said nothing"
        super().__init__(
            where, f"ended with {returncode}: {said}", "run the logged command by hand to see more"
        )
        self.returncode = returncode
        self.last_lines = tuple(last_lines)


class SourceError(PackagerError):
    """Base for a source that is refused."""

    code = "source-refused"


class SourceMissingError(SourceError):
    """No file has this name."""

    code = "source-missing"

    def __init__(self, where: str) -> None:
        super().__init__(where, "there is no such file", "check the path")


class SourceFolderError(SourceError):
    """A folder, or something else that is no regular file."""

    code = "source-not-a-file"

    def __init__(self, where: str) -> None:
        super().__init__(where, "is not a file", "name the sound file itself")


class SourceUnreadableError(SourceError):
    """The operating system does not let us read it."""

    code = "source-unreadable"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, f"cannot be read: {reason}", "check its owner and permissions")


class SourceEmptyError(SourceError):
    """Zero bytes, or a header without one sample of sound."""

    code = "source-empty"

    def __init__(self, where: str) -> None:
        super().__init__(where, "holds no sound at all", "copy it again from its origin")


class SourceFormatError(SourceError):
    """Nothing that ffmpeg knows as sound or film."""

    code = "source-format"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            where,
            f"is not a sound or film file that ffmpeg can read ({reason})",
            "ask for WAV, FLAC or AIFF",
        )


class SourceSilentError(SourceError):
    """Readable, but without an audio track."""

    code = "source-no-audio"

    def __init__(self, where: str) -> None:
        super().__init__(
            where, "has no audio track", "name the file that holds the audio description"
        )


class SourceUnfinishedError(SourceError):
    """A WAV whose header was never completed, so nobody can tell whether it is whole."""

    code = "source-unfinished"

    def __init__(self, where: str) -> None:
        super().__init__(
            where,
            "does not say in its header how much sound it holds",
            "export it again to a file (not through a pipe), and let the export end",
        )


class SourceTruncatedError(SourceError):
    """`found` of what is `declared` is there; both are in `unit`."""

    code = "source-truncated"

    def __init__(self, where: str, declared: float, found: float, unit: str) -> None:
        super().__init__(
            where,
            f"is cut off: it declares {declared:g} {unit} and holds {found:g}",
            "copy it again from its origin and compare the sizes",
        )
        self.declared = declared
        self.found = found
        self.unit = unit


class SourceDamagedError(SourceError):
    """A part of it does not decode."""

    code = "source-damaged"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            where,
            f"does not decode without errors ({reason})",
            "copy it again from its origin, or export it again",
        )


class EncodeError(PackagerError):
    """The encoder failed on a source that decodes."""

    code = "encode-failed"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, f"was not encoded: {reason}", "run the logged command by hand")


class VerifyError(PackagerError):
    """An encoded rendition is not what it must be."""

    code = "verify-failed"

    def __init__(self, where: str, what: str) -> None:
        super().__init__(
            where,
            f"did not pass its check: {what}",
            "this is a fault of ours or of this ffmpeg: try the ffmpeg that Tell installs",
        )


class WorkFolderError(PackagerError):
    """The temporary folder is full or cannot be written."""

    code = "work-folder"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            where,
            f"cannot be written: {reason}",
            "make room, or set packager.work_dir to a folder with more",
        )


class PublishError(PackagerError):
    """The storage is full or failed."""

    code = "publish-failed"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            where,
            f"was not stored: {reason}",
            "check the storage (media.root), make room and run this again; "
            "the track that was current still is",
        )
