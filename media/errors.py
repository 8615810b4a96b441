"""Everything that can go wrong with tracks, storage and tokens.

MediaError
├── InvalidIdError           an id or a key that could climb out of its folder
├── StorageError             the object store failed or refused
│   ├── ObjectNotFoundError
│   ├── RangeError           a byte range outside the object
│   ├── ConflictError        somebody else changed the object first
│   └── LockedError          another run holds the lock, or took ours
├── TrackError
│   ├── TrackNotFoundError   nothing is published for this movie and language
│   └── TrackFormatError     what is stored is not a track that we can read
└── TokenError
    ├── TokenInvalidError    tampered with, of another purpose, or signed by an unknown key
    └── TokenExpiredError
"""

from __future__ import annotations

from datetime import datetime


class MediaError(Exception):
    """Base of all errors of this package; `code` is stable and safe to show."""

    code = "media-error"


class InvalidIdError(MediaError):
    """An id, a language or a storage key that is not of the allowed form; `rule` is the mend."""

    code = "invalid-id"

    def __init__(self, kind: str, value: str, rule: str) -> None:
        super().__init__(f"{kind} {value[:80]!r} is not valid: {rule}")
        self.kind = kind
        self.value = value


class StorageError(MediaError):
    """The object store failed or refused; `key` names the object."""

    code = "storage-error"

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key


class ObjectNotFoundError(StorageError):
    """No object has this key."""

    code = "object-not-found"

    def __init__(self, key: str) -> None:
        super().__init__(key, "there is no such object")


class RangeError(StorageError):
    """The byte range lies outside the object; `size_bytes` is the size that it has."""

    code = "range-not-satisfiable"

    def __init__(self, key: str, start: int, size_bytes: int) -> None:
        super().__init__(key, f"byte {start} lies past the end, the object has {size_bytes} bytes")
        self.start = start
        self.size_bytes = size_bytes


class ConflictError(StorageError):
    """The object is not what it was when it was read: somebody else changed it first."""

    code = "storage-conflict"

    def __init__(self, key: str) -> None:
        super().__init__(key, "was changed by another run in the meantime")


class LockedError(StorageError):
    """Another run holds the lock on *key*, or took it when ours ran out; `holder` says which."""

    code = "storage-locked"

    def __init__(self, key: str, holder: str) -> None:
        super().__init__(key, f"is held by {holder}")
        self.holder = holder


class TrackError(MediaError):
    """Base for what is wrong with a track."""

    code = "track-error"


class TrackNotFoundError(TrackError):
    """Nothing is published for this movie (in this language or version)."""

    code = "not-described"

    def __init__(self, movie_id: str, language: str | None = None) -> None:
        wanted = movie_id if language is None else f"{movie_id}/{language}"
        super().__init__(f"no audio description is published for {wanted}")
        self.movie_id = movie_id
        self.language = language


class TrackFormatError(TrackError):
    """What is stored is not a track that this version can read."""

    code = "track-format"

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where


class TokenError(MediaError):
    """A refused token. Listeners get one message for all; the reason is for the log."""

    code = "token-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenInvalidError(TokenError):
    """Tampered with, made for another purpose, or signed by a key that is not known."""

    code = "token-invalid"


class TokenExpiredError(TokenError):
    """The signature is right and the time is over."""

    code = "token-expired"

    def __init__(self, expired_at: datetime) -> None:
        super().__init__(f"expired at {expired_at.isoformat()}")
        self.expired_at = expired_at
