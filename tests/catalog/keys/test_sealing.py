"""Sealed secrets open with the right key, for the right use, and in no other way."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import MasterKeyError
from catalog.keys.sealing import MasterKeys, load_master_keys, new_master_key

SECRET = b"a webhook secret of 32 bytes ..."
OLD, NEW = b"o" * 32, b"n" * 32
MASTER = MasterKeys({"m1": OLD})


def test_what_is_sealed_is_opened_and_not_seen() -> None:
    """Each time the sealed text is another, and holds nothing of the secret."""
    first, second = (MASTER.seal(SECRET, "prod", "w1") for _ in range(2))
    assert first != second
    for sealed in (first, second):
        assert MASTER.open(sealed, "prod", "w1") == SECRET
        assert len(sealed) < 512, "catalog/store/schema.py: webhook_keys.sealed"


@pytest.mark.parametrize(
    ("environment", "name"), [("staging", "w1"), ("prod", "w2"), ("prodw1", "")]
)
def test_a_row_cannot_be_moved(environment: str, name: str) -> None:
    """What a secret is for is sealed in with it."""
    sealed = MASTER.seal(SECRET, "prod", "w1")
    with pytest.raises(MasterKeyError, match="is not opened"):
        MASTER.open(sealed, environment, name)


@pytest.mark.parametrize(
    "change",
    [
        lambda sealed: sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB"),
        lambda sealed: sealed[:20],
        lambda sealed: "m1.",
        lambda sealed: "m1.é",
        lambda sealed: "",
        lambda sealed: sealed.replace("m1.", "m9."),
    ],
)
def test_what_was_changed_is_refused(change: object) -> None:
    """With our error, which names the row and shows nothing of it."""
    assert callable(change)
    sealed = change(MASTER.seal(SECRET, "prod", "w1"))
    with pytest.raises(MasterKeyError, match=r"w1 of prod") as refused:
        MASTER.open(sealed, "prod", "w1")
    assert sealed[3:] == "" or sealed[3:] not in str(refused.value)


def test_a_new_master_key_seals_and_the_old_one_opens_still() -> None:
    """The last one in the file seals; without the old one its rows stay shut."""
    before = MASTER.seal(SECRET, "prod", "w1")
    both = MasterKeys({"m1": OLD, "m2": NEW})
    assert both.open(before, "prod", "w1") == SECRET
    after = both.seal(SECRET, "prod", "w2")
    assert MasterKeys({"m2": NEW}).open(after, "prod", "w2") == SECRET
    with pytest.raises(MasterKeyError, match="m1"):
        MasterKeys({"m2": NEW}).open(before, "prod", "w1")
    with pytest.raises(MasterKeyError):
        MasterKeys({"m1": NEW}).open(before, "prod", "w1")


def test_keys_are_read_from_a_file(tmp_path: Path) -> None:
    """One a line with its name, in order; comments and empty lines are passed over."""
    path = tmp_path / "master.key"
    path.write_text(f"# two\n\nm1:{new_master_key()}\n m2:{new_master_key()}  # the newest\n")
    assert list(load_master_keys(path).keys) == ["m1", "m2"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# nothing\n",
        b"hunter2hunter2\n",
        b"m1:hunter2\n",
        b"m1:" + b"A" * 42 + b"=\n",
        b"M1:" + b"A" * 43 + b"=\n",
        b"m1:" + b"A" * 43 + b"=\nm1:" + b"B" * 43 + b"=\n",
        b"\xff\xfe",
    ],
)
def test_an_unusable_file_is_named_and_not_shown(tmp_path: Path, content: bytes) -> None:
    """The message names file and line."""
    path = tmp_path / "master.key"
    path.write_bytes(content)
    with pytest.raises(MasterKeyError, match=r"master\.key") as refused:
        load_master_keys(path)
    assert "hunter2" not in str(refused.value)
    assert "AAAA" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is told from one that is wrong."""
    with pytest.raises(MasterKeyError, match="cannot be read"):
        load_master_keys(tmp_path / "none.key")


def test_keys_do_not_show_themselves() -> None:
    """They may be logged by mistake."""
    assert "oooo" not in repr(MASTER)
