from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import (
    SecretFileError,
    WebhookError,
    WebhookKeyError,
    WebhookSignatureError,
    WebhookTimestampError,
)
from catalog.keys.webhooks import (
    Verified,
    WebhookKeySet,
    WebhookSecret,
    load_secret_file,
    new_secret,
    read_secret,
    sign_webhook,
    verify_webhook,
)

# The first published test vector of Standard Webhooks.
SECRET = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
WEBHOOK_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

NOW = datetime.fromtimestamp(TIMESTAMP, UTC)
TOLERANCE = timedelta(minutes=5)
OTHER = b"o" * 32
HEADERS = {
    "x-api-key": "key-1",
    "webhook-id": WEBHOOK_ID,
    "webhook-timestamp": str(TIMESTAMP),
    "webhook-signature": SIGNATURE,
}


def named(secrets: tuple[bytes, ...]) -> tuple[WebhookSecret, ...]:
    """The secrets as w1, w2 and so on."""
    return tuple(WebhookSecret(f"w{number}", each) for number, each in enumerate(secrets, 1))


def verify(
    headers: dict[str, str],
    body: bytes = BODY,
    now: datetime = NOW,
    secrets: tuple[bytes, ...] = (SECRET,),
) -> Verified:
    """Verify against a production key set with *secrets* and a staging one."""
    key_sets = {
        "key-1": WebhookKeySet("prod", "key-1", named(secrets)),
        "key-2": WebhookKeySet("staging", "key-2", named((OTHER,))),
    }
    return verify_webhook(key_sets, headers, body, now, TOLERANCE)


def test_published_vector_is_signed_and_verified() -> None:
    """The Standard Webhooks vector comes out byte for byte, and verifies."""
    assert sign_webhook(SECRET, WEBHOOK_ID, TIMESTAMP, BODY) == SIGNATURE
    assert verify(HEADERS) == Verified("prod", WEBHOOK_ID, "w1")


def test_the_second_published_vector_is_signed_and_verified() -> None:
    """That of the Rust library: its secret has a character that a URL-safe alphabet lacks."""
    secret = read_secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    webhook_id, timestamp = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553
    body = b'{"email":"test@example.com","username":"test_user"}'
    signature = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
    assert sign_webhook(secret, webhook_id, timestamp, body) == signature
    headers = {
        "x-api-key": "key-1",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }
    now = datetime.fromtimestamp(timestamp, UTC)
    assert verify(headers, body, now, (secret,)).webhook_id == webhook_id


def test_one_fitting_signature_among_several_is_enough() -> None:
    """Signatures of other keys and versions stand beside the one that fits."""
    wrong = sign_webhook(OTHER, WEBHOOK_ID, TIMESTAMP, BODY)
    header = f"v1a,abc {wrong}  v1,#### v2 {SIGNATURE}"
    assert verify({**HEADERS, "webhook-signature": header}).environment == "prod"


@pytest.mark.parametrize("secrets", [(SECRET, OTHER), (OTHER, SECRET)])
def test_old_and_new_secret_verify_during_a_rotation(secrets: tuple[bytes, ...]) -> None:
    """Every secret of the key set verifies, whichever one the partner signs with."""
    assert verify(HEADERS, secrets=secrets).webhook_id == WEBHOOK_ID


@pytest.mark.parametrize("key_id", [None, "", "key-3", "KEY-1", "\udcff"])
def test_unknown_key_is_refused(key_id: str | None) -> None:
    """Without a key id that we know nothing else is looked at."""
    headers = {k: v for k, v in HEADERS.items() if k != "x-api-key"}
    with pytest.raises(WebhookKeyError):
        verify(headers if key_id is None else {**headers, "x-api-key": key_id})


def test_key_of_another_environment_does_not_fit() -> None:
    """A staging key set can never vouch for a production purchase."""
    with pytest.raises(WebhookSignatureError):
        verify({**HEADERS, "x-api-key": "key-2"})


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY[:-1], b"\xff\x00\xfe"])
def test_another_body_is_refused(body: bytes) -> None:
    """The signature holds for the very bytes that were signed."""
    with pytest.raises(WebhookSignatureError):
        verify(HEADERS, body)


def test_binary_body_can_be_signed() -> None:
    """A body that is no text verifies like any other."""
    body = bytes(range(256))
    header = sign_webhook(SECRET, WEBHOOK_ID, TIMESTAMP, body)
    assert verify({**HEADERS, "webhook-signature": header}, body).environment == "prod"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_missing_header_is_refused(name: str) -> None:
    """Each of the three headers is needed."""
    with pytest.raises(WebhookSignatureError, match=name):
        verify({k: v for k, v in HEADERS.items() if k != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", ""),
        ("webhook-id", "x" * 256),
        ("webhook-id", "msg\n1"),
        ("webhook-id", "é"),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "now"),
        ("webhook-timestamp", "-1614265330"),
        ("webhook-timestamp", "1614265330.0"),
        ("webhook-timestamp", " 1614265330"),
        ("webhook-timestamp", "1614265330\n"),
        ("webhook-timestamp", "١٦١٤٢٦٥٣٣٠"),
        ("webhook-timestamp", "9" * 5000),
        ("webhook-signature", ""),
        ("webhook-signature", "abc"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,é"),
        ("webhook-signature", "v1,\udcff"),
        ("webhook-signature", SIGNATURE.replace("v1", "v2")),
        ("webhook-signature", SIGNATURE.lower()),
        ("webhook-signature", "v1,AAAA " * 10_000),
    ],
)
def test_malformed_header_is_refused(name: str, value: str) -> None:
    """What no honest sender writes is a refusal, not a crash."""
    with pytest.raises(WebhookSignatureError):
        verify({**HEADERS, name: value})


@pytest.mark.parametrize("seconds", [-300, 300])
def test_tolerance_includes_its_ends(seconds: int) -> None:
    """Exactly five minutes off, either way, is still in time."""
    assert verify(HEADERS, now=NOW + timedelta(seconds=seconds)).environment == "prod"


@pytest.mark.parametrize("timestamp", [TIMESTAMP - 301, TIMESTAMP + 301, 0, 10**12 - 1])
def test_timestamp_outside_the_tolerance_is_refused(timestamp: int) -> None:
    """Too old is a replay, and from the future is a clock or a forger: both are refused."""
    header = sign_webhook(SECRET, WEBHOOK_ID, timestamp, BODY)
    with pytest.raises(WebhookTimestampError):
        verify({**HEADERS, "webhook-timestamp": str(timestamp), "webhook-signature": header})


@given(
    st.dictionaries(st.sampled_from(list(HEADERS)), st.text() | st.text(st.characters(codec=None))),
    st.binary(),
)
def test_hostile_headers_are_always_our_error(changes: dict[str, str], body: bytes) -> None:
    """Whatever stands in the headers and the body, the answer is a WebhookError."""
    with pytest.raises(WebhookError):
        verify({**HEADERS, **changes}, body)


def test_a_key_set_does_not_show_its_secrets() -> None:
    """A key set may be logged."""
    assert "oooo" not in repr(WebhookKeySet("prod", "key-1", named((OTHER,))))


def test_secrets_are_read_from_a_file(tmp_path: Path) -> None:
    """One secret a line, in order; comments and empty lines are passed over."""
    first, second = new_secret(), new_secret()
    path = tmp_path / "webhook-prod.keys"
    path.write_text(f"# two of them\n\n{first}\n  {second}  # the newest\n")
    secrets = load_secret_file(path)
    assert secrets == (read_secret(first), read_secret(second))
    assert [len(secret) for secret in secrets] == [32, 32]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# nothing\n",
        b"hunter2hunter2hunter2hunter2hunter2\n",
        b"whsec_hunter2!\n",
        b"whsec_" + "hunter2é\n".encode(),
        b"whsec_" + base64.b64encode(b"h" * 23),
        b"whsec_" + base64.b64encode(b"h" * 65),
        b"\xff\xfe",
    ],
)
def test_unusable_secret_file_is_named_and_not_shown(tmp_path: Path, content: bytes) -> None:
    """The message names the file, and holds nothing of what is in it."""
    path = tmp_path / "webhook-prod.keys"
    path.write_bytes(content)
    with pytest.raises(SecretFileError, match=r"webhook-prod\.keys") as refused:
        load_secret_file(path)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_missing_secret_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is told from one that is wrong."""
    with pytest.raises(SecretFileError, match="cannot be read"):
        load_secret_file(tmp_path / "none.keys")
