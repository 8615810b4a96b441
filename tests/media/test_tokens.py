"""Tokens: what opens, what does not, and that the bytes stay what they are."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.errors import TokenExpiredError, TokenInvalidError
from media.tokens import Keyring, SigningKeyError, Tokens
from tests.media.claims import CLAIMS, NOW

KEY_1, KEY_2 = b"1" * 32, b"2" * 32


@pytest.fixture(name="tokens")
def _tokens() -> Tokens:
    return Tokens(Keyring([("k1", KEY_1)]))


def test_token_bytes_are_pinned(tokens: Tokens) -> None:
    """A new version of Tell or itsdangerous signs and reads the same bytes."""
    assert tokens.stream_token(CLAIMS) == PINNED_STREAM
    assert tokens.claim_code(CLAIMS.ticket) == PINNED_CLAIM


PINNED_STREAM = (
    "k1~q7m2w5x4c3v6b8n9k1l0~1267~one-week~en~0123456789abcdef~6b034510~J8y"
    "A9-0Y6JDgiZd8H2tIwdNxRJqP54opJQEatfGtYCs"
)
PINNED_CLAIM = "k1~q7m2w5x4c3v6b8n9k1l0~5TUsjdVqcHkk0ET8ZZIV3DoWgOLc37EdWEOp_uGCILQ"


def test_stream_token_round_trip(tokens: Tokens) -> None:
    """What was signed is read again until the instant of expiry, and not at it."""
    token = tokens.stream_token(CLAIMS)
    assert tokens.read_stream_token(token, CLAIMS.expires_at - timedelta(seconds=1)) == CLAIMS
    with pytest.raises(TokenExpiredError) as caught:
        tokens.read_stream_token(token, CLAIMS.expires_at)
    assert caught.value.expired_at == CLAIMS.expires_at


def test_a_token_of_another_purpose_is_refused(tokens: Tokens) -> None:
    """A salt for each purpose: no token opens what another kind opens."""
    access, stream = tokens.access_token(CLAIMS), tokens.stream_token(CLAIMS)
    code, listener = tokens.claim_code("abc"), tokens.listener_token("abc")
    for read, wrong in (
        (lambda t: tokens.read_access_token(t, NOW), (stream, code, listener)),
        (lambda t: tokens.read_stream_token(t, NOW), (access, code, listener)),
        (tokens.read_claim_code, (access, stream, listener)),
        (tokens.read_listener_token, (access, stream, code)),
    ):
        for token in wrong:
            with pytest.raises(TokenInvalidError):
                read(token)


@given(st.data())
def test_any_changed_character_is_refused(data: st.DataObject) -> None:
    """One character changed, removed or added anywhere, and the token opens nothing."""
    tokens = Tokens(Keyring([("k1", KEY_1)]))
    token = tokens.stream_token(CLAIMS)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda c: c != token[at]))
    for changed in (
        token[:at] + other + token[at + 1 :],
        token[:at] + token[at + 1 :],
        token[:at] + other + token[at:],
    ):
        with pytest.raises(TokenInvalidError):
            tokens.read_stream_token(changed, NOW)


def test_a_signature_has_one_spelling(tokens: Tokens) -> None:
    """The spare bits of its last character and characters outside base64 are refused too."""
    token = tokens.stream_token(CLAIMS)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [token[:-1] + last for last in alphabet if last != token[-1]]
    for changed in [*others, token + "=", token + "!", token[:-3] + "!" + token[-3:]]:
        with pytest.raises(TokenInvalidError):
            tokens.read_stream_token(changed, NOW)


@given(st.text(max_size=600))
def test_any_text_is_refused_as_a_token(text: str) -> None:
    """Garbage never raises anything but our own error."""
    tokens = Tokens(Keyring([("k1", KEY_1)]))
    with pytest.raises(TokenInvalidError):
        tokens.read_access_token(text, NOW)


def test_rotation_keeps_old_tokens_until_their_key_goes() -> None:
    """The newest key signs, every key of the ring verifies, a removed one does not."""
    old = Tokens(Keyring([("k1", KEY_1)])).stream_token(CLAIMS)
    both = Tokens(Keyring([("k1", KEY_1), ("k2", KEY_2)]))
    assert both.stream_token(CLAIMS).startswith("k2~")
    assert both.read_stream_token(old, NOW) == CLAIMS
    with pytest.raises(TokenInvalidError):
        Tokens(Keyring([("k2", KEY_2)])).read_stream_token(old, NOW)


def test_a_key_under_another_id_is_another_key() -> None:
    """The right secret under a wrong key id verifies nothing."""
    token = Tokens(Keyring([("k1", KEY_1)])).stream_token(CLAIMS)
    with pytest.raises(TokenInvalidError):
        Tokens(Keyring([("k1", KEY_2)])).read_stream_token(token, NOW)


def test_paths_stay_short(tokens: Tokens) -> None:
    """The path of a media request with a real token is at most 160 characters."""
    path = f"/stream/{tokens.stream_token(CLAIMS)}/aac-128k.m3u8"
    assert len(path) <= 160


def test_keys_are_read_from_a_file(tmp_path: Path) -> None:
    """Comments and blank lines are passed over and the last key signs."""
    path = tmp_path / "signing.keys"
    secrets = [base64.urlsafe_b64encode(key).decode() for key in (KEY_1, KEY_2)]
    path.write_text(f"# made by tell keys init\n\nk1:{secrets[0]}\nk2:{secrets[1]}\n")
    assert Keyring.load(path).current == "k2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no signing key"),
        ("k1:not base64!\n", "line 1"),
        ("k1:c2hvcnQ=\n", "at least 32"),
        ("K-1:" + base64.b64encode(KEY_1).decode(), "key id"),
        (f"k1:{base64.b64encode(KEY_1).decode()}\n" * 2, "repeat"),
    ],
)
def test_unreadable_keys_say_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    """Each fault of the key file is named, and no message holds the secret."""
    path = tmp_path / "signing.keys"
    path.write_text(text)
    with pytest.raises(SigningKeyError, match=message) as caught:
        Keyring.load(path)
    assert base64.b64encode(KEY_1).decode() not in str(caught.value)


def test_a_missing_key_file_names_the_mend(tmp_path: Path) -> None:
    """The message says which command makes the keys."""
    with pytest.raises(SigningKeyError, match="tell keys init"):
        Keyring.load(tmp_path / "none")
