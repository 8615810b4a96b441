"""Signing after Standard Webhooks 1.0."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amc_clone.errors import SecretFileError
from amc_clone.webhooks import load_signing_secret, signed_headers
from tests.amc_clone.cinema import NOW
from tests.amc_clone.partner import SECRET, signature_fits


def test_the_published_vector() -> None:
    """The example that the reference libraries of Standard Webhooks test themselves with."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        "key",
        secret,
        datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "x-api-key": "key",
    }


def test_a_changed_body_does_not_fit() -> None:
    """The test's own verifier accepts what was signed and nothing else."""
    headers = signed_headers("msg_1", b"{}", "key", SECRET, NOW)
    assert signature_fits(headers, b"{}", SECRET)
    assert not signature_fits(headers, b"{ }", SECRET)
    assert not signature_fits(headers, b"{}", SECRET[::-1])


def line(secret: bytes) -> str:
    """A line of a secret file."""
    return f"whsec_{base64.b64encode(secret).decode()}\n"


def test_the_last_secret_signs(tmp_path: Path) -> None:
    """Comments and empty lines are passed over."""
    path = tmp_path / "secrets"
    path.write_text(f"# old\n{line(b'a' * 32)}\n# new\n  {line(b'b' * 32)}\n")
    assert load_signing_secret(path) == b"b" * 32


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("# nothing\n", "has no secret"),
        (line(b"a" * 32) + "hunter2-is-not-base64!\n", "line 2"),
        ("whsec_hunter2\n", "line 1"),
        (line(b"hunter2"), "line 1"),
        ("whsec_hunter2é\n", "text of whsec_"),
    ],
)
def test_a_wrong_file_is_named_without_its_content(tmp_path: Path, content: str, says: str) -> None:
    """The message says where the mistake is and never what stands there."""
    path = tmp_path / "secrets"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SecretFileError, match=says) as caught:
        load_signing_secret(path)
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path is in the message."""
    with pytest.raises(SecretFileError, match="nowhere"):
        load_signing_secret(tmp_path / "nowhere")
