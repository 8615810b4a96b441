"""The keys that sign what opens sound, in a file of their own: media.keys.

They can be rotated while people listen, and be known to an edge that verifies tokens, which must
never be able to make a listener. A line is `<key id>:<base64url secret>`, and behind it `waits`
where the key verifies and does not sign yet, or `until=<RFC 3339>` where it signed until then and
only verifies. The one without a word signs.

A key signs only after every gateway knows it: else a token of the one would be refused by the
other. So a rotation has two steps, `add` and `switch`. Its last step, `drop`, comes when the last
token that the old key signed has died.
"""

from __future__ import annotations

import base64
import fcntl
import os
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.errors import SecretsError
from media.tokens import Keyring, SigningKeyError, read_key_lines

_SECRET_BYTES = 32
_HEAD = (
    "# What signs the addresses of sound: see `tell keys list media`. Written by `tell keys`.\n"
    "# <key id>:<base64url secret>, then `waits` before it signs, `until=` after it did.\n"
)
_NUMBERED = re.compile(r"s([0-9]{1,6})")
_WAITS = "waits"
_UNTIL = "until="


@dataclass(frozen=True, slots=True)
class MediaKey:
    """A key of media.keys: it signs, or `waits` to, or has signed `until`."""

    key_id: str
    secret: bytes = field(repr=False)
    waits: bool = False
    until: datetime | None = None

    @property
    def signs(self) -> bool:
        """Whether this is the one that signs."""
        return not self.waits and self.until is None


def media_path(folder: Path) -> Path:
    """Path of the keys."""
    return folder / "media.keys"


def read_media_keys(path: Path) -> tuple[MediaKey, ...]:
    """The keys of the file, none where there is no file; raises SigningKeyError."""
    if not path.exists():
        return ()
    keys = []
    for line in read_key_lines(path, with_words=True):
        waits, until = False, None
        for word in line.words:
            waits = waits or word == _WAITS
            if word.startswith(_UNTIL):
                until = _instant(word.removeprefix(_UNTIL))
            if word != _WAITS and until is None:
                raise SigningKeyError(
                    f"{path}, line {line.number}: behind the key write nothing, waits or "
                    "until=2026-11-22T19:30:00Z"
                )
        keys.append(MediaKey(line.key_id, line.secret, waits, until))
    if sum(key.signs for key in keys) > 1:
        raise SigningKeyError(f"{path}: more than one key signs; write waits or until= behind one")
    return tuple(keys)


def media_ring(signing: Keyring, keys: Sequence[MediaKey]) -> Keyring:
    """What signs and verifies the addresses of sound.

    The keys of signing.keys verify too, and sign while no media key does: so tokens of a Tell that
    had no media.keys stay good. Raises SigningKeyError where both files have a key of one id.
    """
    current = next((key.key_id for key in keys if key.signs), None)
    return signing.with_keys([(key.key_id, key.secret) for key in keys], current)


def new_key(keys: Sequence[MediaKey], *, waits: bool) -> MediaKey:
    """A key with an id that none of *keys* has: s1, s2 and so on."""
    numbers = [int(found[1]) for key in keys if (found := _NUMBERED.fullmatch(key.key_id))]
    key_id = f"s{max(numbers, default=0) + 1}"
    return MediaKey(key_id, secrets.token_bytes(_SECRET_BYTES), waits=waits)


def add(keys: Sequence[MediaKey]) -> tuple[MediaKey, ...]:
    """The first step: a key that verifies, and does not sign yet."""
    return (*keys, new_key(keys, waits=True))


def switch(keys: Sequence[MediaKey], now: datetime) -> tuple[MediaKey, ...]:
    """The second step: the key that waits signs from *now* on. Raises SecretsError without one."""
    waiting = [key.key_id for key in keys if key.waits]
    if not waiting:
        raise SecretsError("no media key waits; make one with `tell keys rotate media`")
    changed = []
    for key in keys:
        if key.signs:
            changed.append(replace(key, until=now))
        elif key.key_id == waiting[-1]:
            changed.append(replace(key, waits=False))
        else:
            changed.append(key)
    return tuple(changed)


def drop(keys: Sequence[MediaKey], key_ids: Collection[str]) -> tuple[MediaKey, ...]:
    """Forget keys: nothing that they signed opens anything. Raises SecretsError.

    One that signs is not dropped: another must sign first.
    """
    for key_id in key_ids:
        found = [key for key in keys if key.key_id == key_id]
        if not found:
            raise SecretsError(f"there is no media key {key_id!r}: see `tell keys list media`")
        if found[0].signs:
            raise SecretsError(
                f"{key_id} signs: run `tell keys rotate media` until another one does"
            )
    return tuple(key for key in keys if key.key_id not in key_ids)


def media_text(keys: Sequence[MediaKey]) -> str:
    """The file's text."""
    lines = []
    for key in keys:
        line = f"{key.key_id}:{base64.urlsafe_b64encode(key.secret).decode()}"
        if key.waits:
            line += f" {_WAITS}"
        elif key.until is not None:
            line += f" {_UNTIL}{key.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        lines.append(f"{line}\n")
    return _HEAD + "".join(lines)


def change(
    path: Path, work: Callable[[tuple[MediaKey, ...]], tuple[MediaKey, ...]]
) -> tuple[MediaKey, ...]:
    """Write what *work* makes of the file's keys, whole and durably, one process at a time.

    A reader sees the keys of before or those of after. Raises SecretsError, SigningKeyError, and
    what *work* raises.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            keys = work(read_media_keys(path))
            staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
            descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(media_text(keys))
                file.flush()
                os.fsync(file.fileno())
            staged.replace(path)
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise SecretsError(f"{path}: cannot be written: {error.strerror}") from error
    return keys


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
