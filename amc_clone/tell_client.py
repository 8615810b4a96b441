"""Posting one message to Tell and understanding what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import aiohttp

from amc_clone.errors import TellRefusedError, TellUnavailableError
from amc_clone.models import Message, MessageKind
from amc_clone.webhooks import signed_headers

# The message itself is wrong: the same bytes get the same answer for ever. All else is tried
# again, 401 and 404 too: a key that is not known yet, a Tell that is being set up.
_FINAL = frozenset({400, 409, 413, 422})
_ANSWER_LIMIT_BYTES = 64 * 1024
# schema.py: purchases.correlation_id, purchases.listen_url, outbox.last_error.
_CORRELATION_ID_CHARS = 64
_LISTEN_URL_CHARS = 2048
_SAID_CHARS = 400


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What Tell answered with its 202; `listen_url` is a secret of the buyer."""

    correlation_id: str
    listen_url: str


class TellClient:
    """Tell's side of the webhook. `key_id` tells Tell which secrets to try."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        tell_url: str,
        key_id: str,
        secret: bytes,
        timeout_s: float,
    ) -> None:
        self._session = session
        self._tell_url = tell_url.rstrip("/")
        self._key_id = key_id
        self._secret = secret
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    def point_at(self, tell_url: str) -> None:
        """Send what comes next to *tell_url*: where Tell is may be known only after this starts."""
        self._tell_url = tell_url.rstrip("/")

    async def post(self, message: Message, now: datetime) -> Acceptance | None:
        """Sign *message* at *now* and post it; what Tell gave for a purchase, None for an event.

        Raises TellRefusedError for a final no, TellUnavailableError for all that may pass.
        """
        headers = signed_headers(message.webhook_id, message.body, self._key_id, self._secret, now)
        try:
            async with self._session.post(
                f"{self._tell_url}{message.path}",
                data=message.body,
                headers=headers | {"Content-Type": "application/json"},
                timeout=self._timeout,
                # A redirect would carry the signature to where nobody configured.
                allow_redirects=False,
            ) as response:
                answer = await response.content.read(_ANSWER_LIMIT_BYTES)
        except TimeoutError as error:
            raise TellUnavailableError(None, "no answer in time") from error
        except (aiohttp.ClientError, ValueError) as error:
            # ValueError: a tell_url that is none; it can be mended and the sale is not lost.
            raise TellUnavailableError(None, f"no connection ({type(error).__name__})") from error
        if 200 <= response.status < 300:
            is_purchase = message.kind is MessageKind.PURCHASE
            return _acceptance(response.status, answer) if is_purchase else None
        said = _said(answer, response.reason or "")
        if response.status in _FINAL:
            raise TellRefusedError(response.status, said)
        raise TellUnavailableError(
            response.status, said, _retry_after_s(response.headers.get("Retry-After", ""))
        )


def _acceptance(status: int, answer: bytes) -> Acceptance:
    """The two fields of a 202, or TellUnavailableError that shows nothing of the answer."""
    try:
        data = json.loads(answer)
        correlation_id, listen_url = data["correlation_id"], data["listen_url"]
    except (ValueError, TypeError, KeyError) as error:
        raise TellUnavailableError(status, "an answer that cannot be read") from error
    if not (isinstance(correlation_id, str) and 0 < len(correlation_id) <= _CORRELATION_ID_CHARS):
        raise TellUnavailableError(status, "an answer without a usable correlation_id")
    if not (isinstance(listen_url, str) and _is_web_url(listen_url)):
        raise TellUnavailableError(status, "an answer without a usable listen_url")
    return Acceptance(correlation_id, listen_url)


def _is_web_url(url: str) -> bool:
    """Whether *url* may become a link: a javascript: URL would run in our own page."""
    if len(url) > _LISTEN_URL_CHARS:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _said(answer: bytes, reason: str) -> str:
    """What a refusal says: code and detail of its problem+json (RFC 9457 3.1), else the reason."""
    try:
        problem = json.loads(answer)
        parts = [problem.get("code"), problem.get("detail") or problem.get("title")]
    except (ValueError, AttributeError):
        parts = []
    words = ": ".join(part for part in parts if isinstance(part, str) and part)
    return (words or reason)[:_SAID_CHARS]


def _retry_after_s(value: str) -> float:
    # RFC 9110 10.2.3; the date form is passed over, our own back-off stands in.
    return float(value) if value.isascii() and value.isdigit() else 0.0
