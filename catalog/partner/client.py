"""The partner's HTTP API, and the only file of the catalog that knows HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.errors import PartnerUnavailableError, ScreeningUnknownError
from catalog.partner.details import (
    Question,
    ScreeningDetails,
    check_answer,
    read_details,
    read_showings,
)
from catalog.traceparent import trace_headers

# Details are about 500 bytes, and a list of showings has at most 50; whatever is longer is neither.
_MAX_ANSWER_BYTES = 64 * 1024
_MAX_ETAG_CHARS = 255
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY_US = 86_400_000_000
# The year 2200: beyond it a datetime would soon overflow.
_LATEST_US = 7_258_118_400_000_000
# RFC 9457 codes of a 404 that say more than "no such screening".
_UNKNOWN = {
    "theater-not-found": "no-such-theater",
    "auditorium-not-found": "no-such-auditorium",
    "movie-not-found": "no-such-movie",
}


class _ToldTime(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    nonce: str
    received_us: Annotated[int, Field(ge=0, le=_LATEST_US)]
    sent_us: Annotated[int, Field(ge=0, le=_LATEST_US)]
    bound_us: Annotated[int, Field(ge=0, le=_DAY_US)]


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer's bytes and its ETag, "" for none. No body: what the asker has is still true."""

    body: bytes | None
    etag: str


@dataclass(frozen=True, slots=True)
class ClockAnswer:
    """The partner's two readings of its own clock (RFC 5905 8: T2 and T3), within `bound_us`."""

    received_at: datetime
    sent_at: datetime
    bound_us: int


class PartnerClient:
    """One AMC-clone environment at *base_url*. A request takes at most *timeout_s* in all."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, timeout_s: float) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    @property
    def base_url(self) -> str:
        """Which environment this is."""
        return self._base_url

    async def fetch(self, question: Question, etag: str = "") -> Fetched:
        """`GET /screening/details` as it came; with *etag*, only if it is another by now.

        Raises PartnerUnavailableError, ScreeningUnknownError.
        """
        status, body, headers = await self._get("/screening/details", _query(question), etag)
        if status == 304 and etag:
            return Fetched(None, etag)
        _check_status(status, body, headers)
        told = headers.get("ETag", "")
        return Fetched(body, told if len(told) <= _MAX_ETAG_CHARS else "")

    async def screening_details(
        self, movie_id: str, place_id: str, auditorium_number: str, showtime_id: str
    ) -> ScreeningDetails:
        """`GET /screening/details`, checked and for the showtime that was asked for.

        Raises PartnerUnavailableError, ScreeningUnknownError, ShowtimeEchoError or
        PartnerAnswerError.
        """
        question = Question(movie_id, place_id, auditorium_number, showtime_id)
        details = read_details((await self.fetch(question)).body or b"")
        check_answer(details, question)
        return details

    async def showings(self, question: Question, sold_at: datetime) -> list[ScreeningDetails]:
        """Every showing that a ticket for *question*, sold at *sold_at*, may be for.

        The same look-up without showtimeId (docs/design.md). Raises PartnerUnavailableError,
        ScreeningUnknownError or PartnerAnswerError.
        """
        query = _query(question) | {"soldAt": sold_at.isoformat()}
        del query["showtimeId"]
        status, body, headers = await self._get("/screening/details", query, "")
        _check_status(status, body, headers)
        return read_showings(body, question)

    async def clock(self, nonce: str) -> ClockAnswer:
        """`GET /time`: the partner's clock; *nonce* finds an answer out of a cache.

        Raises PartnerUnavailableError.
        """
        status, body, _ = await self._get("/time", {"nonce": nonce}, "")
        if status != 200:
            raise PartnerUnavailableError(f"status-{status}", f"the partner answered {status}")
        try:
            told = _ToldTime.model_validate_json(body)
        except ValidationError as error:
            raise PartnerUnavailableError("clock-unread", "/time is of another form") from error
        if told.nonce != nonce:
            raise PartnerUnavailableError("clock-cached", "/time came out of a cache")
        return ClockAnswer(
            _EPOCH + told.received_us * _MICROSECOND,
            _EPOCH + told.sent_us * _MICROSECOND,
            told.bound_us,
        )

    async def _get(
        self, path: str, query: dict[str, str], etag: str
    ) -> tuple[int, bytes, dict[str, str]]:
        headers = {"Accept": "application/json", **trace_headers()}
        if etag:
            headers["If-None-Match"] = etag
        try:
            async with self._session.get(
                self._base_url + path,
                params=query,
                timeout=self._timeout,
                # What is asked for is at the address that was configured, or not at all.
                allow_redirects=False,
                headers=headers,
            ) as response:
                body = bytearray()
                async for block in response.content.iter_any():
                    body += block
                    if len(body) > _MAX_ANSWER_BYTES:
                        raise PartnerUnavailableError("too-long", "the answer does not end")
                told = {
                    name: response.headers[name]
                    for name in ("ETag", "Retry-After")
                    if name in response.headers
                }
                return response.status, bytes(body), told
        except TimeoutError as error:
            raise PartnerUnavailableError("timeout", "no answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # ValueError: a header of ours that cannot be sent, or one of theirs that is none.
            raise PartnerUnavailableError("connection", type(error).__name__) from error


def _query(question: Question) -> dict[str, str]:
    return {
        "movieId": question.movie_id,
        "placeId": question.place_id,
        "auditoriumNumber": question.auditorium_number,
        "showtimeId": question.showtime_id,
    }


def _check_status(status: int, body: bytes, headers: dict[str, str]) -> None:
    """Raise ScreeningUnknownError for a 404, PartnerUnavailableError for all but a 200."""
    if status == 404:
        raise ScreeningUnknownError(
            _UNKNOWN.get(_problem_code(body), "screening-unknown"), "the partner answered 404"
        )
    if status != 200:
        # A 4xx too: it is a fault of the set-up, which a person mends, and then all is well.
        raise PartnerUnavailableError(
            f"status-{status}",
            f"the partner answered {status}",
            retry_after_s=_retry_after_s(headers.get("Retry-After", "")),
        )


def _problem_code(body: bytes) -> str:
    try:
        code = json.loads(body)["code"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return code if isinstance(code, str) else ""


def _retry_after_s(value: str) -> float:
    # RFC 9110 10.2.3. The date form is passed over: our own delay stands in.
    return float(value[:9]) if value.isascii() and value.isdigit() else 0.0
