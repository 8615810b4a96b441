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
│   ├── SourceDamagedError        does not decode
│   ├── AudioTrackError           no one audio track can be chosen
│   ├── SidecarError              the file beside it that describes it cannot be read
│   └── SourceRefusedError        findings of the quality check that were not accepted
├── TimingError                   a frame rate or time that the operator wrote
├── UnknownFindingError           no finding has the code that the operator would accept
├── EncodeError                   the encoder failed
├── VerifyError                   a rendition is not what it must be; nothing was published
├── WorkFolderError               the temporary folder is full or cannot be written
├── PublishError                  the storage is full or failed
├── FetchError                    an address gave no answer that can be linted
├── LintTargetError               what was to be linted is no track and no playlist
├── TrackBusyError                another run works on the same track
├── NotPublishedError             there is no such track or version
├── DamagedVersionError           a stored version is not what its track.json says
└── ReportError                   the report cannot be written to where it was asked for
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # A finding is only carried here; its module would bring numpy to every start of the program.
    from packager.quality.findings import Finding


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


class AudioTrackError(SourceError):
    """None of its audio tracks fits, or several do; `what` names them all."""

    code = "source-audio-track"

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what, "choose one with --audio-track <language or number>")


class SidecarError(SourceError):
    """The file beside the source that describes it is not readable as such."""

    code = "source-sidecar"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, f"cannot be used: {reason}", "mend it, or take it away")


class SourceRefusedError(SourceError):
    """It decodes, but `findings` hold errors that the operator did not accept."""

    code = "source-quality"

    def __init__(self, where: str, findings: Sequence[Finding]) -> None:
        refusing = [finding for finding in findings if finding.refuses]
        codes = [finding.code for finding in refusing]
        super().__init__(
            where,
            "; ".join(f"{finding.code}: {finding.what}" for finding in refusing),
            "; ".join(dict.fromkeys(finding.mend for finding in refusing))
            + "; or, if it is meant so, "
            + " ".join(f"--accept {code}" for code in codes),
        )
        self.findings = tuple(findings)


class TimingError(PackagerError):
    """A frame rate, time or length that makes no sense; `where` is what was written."""

    code = "timing"


class UnknownFindingError(PackagerError):
    """What was to be accepted is no code of a finding."""

    code = "unknown-finding"

    def __init__(self, where: str, codes: Sequence[str]) -> None:
        super().__init__(where, "is no finding that can be accepted", "write " + ", ".join(codes))


class EncodeError(PackagerError):
    """The encoder failed on a source that decodes."""

    code = "encode-failed"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, f"was not encoded: {reason}", "run the logged command by hand")


class VerifyError(PackagerError):
    """An encoded rendition is not what it must be; `found` says it without more words."""

    code = "verify-failed"

    def __init__(self, where: str, found: str) -> None:
        super().__init__(
            where,
            f"did not pass its check: {found}",
            "try the ffmpeg that Tell installs; where it is the lowest rung alone, leave that rung "
            "out of packager.ladder: noise-like sound may be more than it can carry",
        )
        self.found = found


class WorkFolderError(PackagerError):
    """The temporary folder is full or cannot be written."""

    code = "work-folder"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            where,
            f"cannot be written: {reason}",
            "make room, or set packager.work_dir to a folder with more",
        )


class FetchError(PackagerError):
    """An address gave no answer that can be linted; `where` shows it without its token."""

    code = "lint-fetch"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, reason, "check the address, and the server's log")


class LintTargetError(PackagerError):
    """There is nothing to lint: no track.json in the folder, or no playlist at the address."""

    code = "lint-target"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            where,
            f"cannot be linted: {reason}",
            "name the folder of a published version, or the address of a playlist",
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


class TrackBusyError(PackagerError):
    """Another run works on the same track, or took it over; `holder` says which."""

    code = "track-busy"

    def __init__(self, where: str, holder: str) -> None:
        super().__init__(
            where,
            f"is being worked on by {holder}",
            "wait until that run has ended, then run this again",
        )
        self.holder = holder


class NotPublishedError(PackagerError):
    """No track, or no version of it, has this name."""

    code = "not-published"


class DamagedVersionError(PackagerError):
    """A stored version is not what its track.json says, so it is not made current."""

    code = "version-damaged"

    def __init__(self, where: str, what: str) -> None:
        super().__init__(
            where,
            f"is damaged: {what}",
            "package its source again: damaged files of the same content are replaced",
        )


class ReportError(PackagerError):
    """The report cannot be written to where it was asked for."""

    code = "report"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            where,
            f"cannot be written: {reason}",
            "the track is published, and its report lies beside track.json; copy it from there",
        )
