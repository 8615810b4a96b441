"""Rotating the keys of sound's addresses: on paper, and under two running gateways."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import keys as app_keys
from gateway.errors import SecretsError
from gateway.live_media_keys import LiveMediaKeys
from gateway.media_keys import (
    add,
    change,
    drop,
    media_path,
    media_ring,
    media_text,
    new_key,
    read_media_keys,
    switch,
)
from media.errors import TokenInvalidError
from media.tokens import Keyring, SigningKeyError, StreamClaims, Tokens
from tests.gateway.town import NOW, Town, bearer

SIGNING = Keyring([("k1", b"1" * 32)])
CLAIMS = StreamClaims(
    *("q7m2w5x4c3v6b8n9k1l0", 4711, "one-week", "en", "0123456789abcdef"),
    NOW + timedelta(hours=2),
)


def test_a_rotation_has_steps_and_no_token_dies_in_them() -> None:
    """Known, then signing, then retired, then gone: what was signed before is good until then."""
    first = (new_key([], waits=False),)
    old = Tokens(SIGNING, media_ring(SIGNING, first)).stream_token(CLAIMS)
    known = add(first)
    assert [(key.key_id, key.signs) for key in known] == [("s1", True), ("s2", False)]
    assert Tokens(SIGNING, media_ring(SIGNING, known)).stream_token(CLAIMS) == old
    switched = switch(known, NOW)
    assert [(key.key_id, key.until, key.signs) for key in switched] == [
        ("s1", NOW, False),
        ("s2", None, True),
    ]
    new = Tokens(SIGNING, media_ring(SIGNING, switched)).stream_token(CLAIMS)
    assert new.startswith("s2~")
    for state in (known, switched):
        tokens = Tokens(SIGNING, media_ring(SIGNING, state))
        assert tokens.read_stream_token(old, NOW) == CLAIMS
        # A replica that has only come to know it takes what the other signs already.
        assert tokens.read_stream_token(new, NOW) == CLAIMS
    gone = Tokens(SIGNING, media_ring(SIGNING, drop(switched, ["s1"])))
    assert gone.read_stream_token(new, NOW) == CLAIMS
    with pytest.raises(TokenInvalidError, match="not known"):
        gone.read_stream_token(old, NOW)


def test_listeners_and_claims_are_none_of_the_media_keys() -> None:
    """An edge that knows the media keys can make no listener; signing.keys sign these on and on."""
    keys = (new_key([], waits=False),)
    tokens = Tokens(SIGNING, media_ring(SIGNING, keys))
    assert tokens.listener_token("abc").startswith("k1~")
    assert tokens.claim_code("abc").startswith("k1~")
    edge = Tokens(Keyring([("k1", keys[0].secret), ("s1", keys[0].secret)]))
    for forged in (
        edge.listener_token("abc"),
        Tokens(media_ring(SIGNING, keys)).listener_token("a"),
    ):
        with pytest.raises(TokenInvalidError):
            tokens.read_listener_token(forged)


def test_without_media_keys_the_signing_keys_sign() -> None:
    """As in a Tell of before, whose tokens stay good when media keys come."""
    before = Tokens(SIGNING, media_ring(SIGNING, ()))
    old = before.stream_token(CLAIMS)
    assert old.startswith("k1~")
    waiting = add(())
    assert Tokens(SIGNING, media_ring(SIGNING, waiting)).stream_token(CLAIMS) == old
    after = Tokens(SIGNING, media_ring(SIGNING, switch(waiting, NOW)))
    assert after.stream_token(CLAIMS).startswith("s1~")
    assert after.read_stream_token(old, NOW) == CLAIMS


def test_the_file_keeps_what_each_key_is(tmp_path: Path) -> None:
    """Written whole, for its owner alone, and read again; a part of one is never seen."""
    path = media_path(tmp_path / "secrets")
    assert read_media_keys(path) == ()
    change(path, add)
    change(path, lambda keys: switch(keys, NOW))
    written = change(path, add)
    written = change(path, lambda keys: switch(keys, NOW + timedelta(days=1)))
    assert read_media_keys(path) == written
    assert [key.until for key in written] == [NOW + timedelta(days=1), None]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["media.keys"]
    for key in written:
        assert key.secret.hex() not in repr(written)
        assert repr(key.secret) not in repr(written)


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        (" sings", "line 1: behind the key"),
        (" until=tomorrow", "line 1: behind the key"),
        (" until=2026-11-22T19:30:00", "line 1: behind the key"),
        ("\nTWICE", "more than one key signs"),
        ("!", "line 1: write"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, mark: str, message: str) -> None:
    """By its line, and without the key."""
    line = media_text([new_key([], waits=False)]).splitlines()[-1]
    path = tmp_path / "media.keys"
    path.write_text(line + mark.replace("TWICE", line.replace("s1:", "s2:")) + "\n")
    with pytest.raises(SigningKeyError, match=message) as caught:
        read_media_keys(path)
    assert line.partition(":")[2] not in str(caught.value)


def test_what_signs_is_not_dropped() -> None:
    """Nor what is not there; and nothing is switched where none waits."""
    keys = switch(add(()), NOW)
    with pytest.raises(SecretsError, match="s1 signs"):
        drop(keys, ["s1"])
    with pytest.raises(SecretsError, match="no media key 's9'"):
        drop(keys, ["s9"])
    with pytest.raises(SecretsError, match="no media key waits"):
        switch(keys, NOW)


async def test_a_running_gateway_takes_up_each_step(town: Town) -> None:
    """A key that was added, switched to and dropped, while a listener plays."""
    sold, listener = await town.ticket()
    app = town.tell.app
    assert app is not None
    path = media_path(Path(town.settings.secrets.dir))
    tokens, passes = app[app_keys.TOKENS], app[app_keys.PASSES]

    def use(ring: Keyring) -> None:
        tokens.use_media(ring)
        passes.forget_all()

    watch = LiveMediaKeys(path, app[app_keys.SECRETS].keyring, use)

    async def file_of(grant: dict[str, list[dict[str, str]]]) -> int:
        url = grant["downloads"][0]["url"]
        async with town.tell.get(url, headers={"Range": "bytes=0-9"}) as answer:
            return answer.status

    old = await town.grant(listener, sold)
    assert old["hls"].startswith("/stream/s1~")
    change(path, add)
    await watch.look()
    assert (await town.grant(listener, sold))["hls"].startswith("/stream/s1~")
    change(path, lambda keys: switch(keys, town.clock.now))
    await watch.look()
    new = await town.grant(listener, sold)
    assert new["hls"].startswith("/stream/s2~")
    assert [await file_of(old), await file_of(new)] == [206, 206]
    # A damaged file changes nothing, and nothing breaks.
    good = path.read_bytes()
    path.write_text("s1:nonsense!\n")
    await watch.look()
    assert [await file_of(old), await file_of(new)] == [206, 206]
    path.write_bytes(good)
    change(path, lambda keys: drop(keys, ["s1"]))
    await watch.look()
    assert [await file_of(old), await file_of(new)] == [403, 206]
    async with town.tell.get(old["hls"], headers=bearer(listener)) as answer:
        assert answer.status == 403


async def test_the_gateway_looks_by_itself(town: Town) -> None:
    """Without a signal and without a restart."""
    app = town.tell.app
    assert app is not None
    path = media_path(Path(town.settings.secrets.dir))
    seen: list[str] = []
    watch = LiveMediaKeys(
        path,
        app[app_keys.SECRETS].keyring,
        lambda ring: seen.append(ring.key_ids[-1]),
        look_every_s=0.01,
    )
    await watch.start()
    change(path, add)
    while "s2" not in seen:
        await town.text("/healthz")
    os.utime(path, (1, 1))
    while len(seen) < 3:
        await town.text("/healthz")
    await watch.stop()
    assert seen == ["s1", "s2", "s2"]
