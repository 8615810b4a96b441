"""The partner's HTTP API, and the only file of the catalog that knows HTTP."""

from __future__ import annotations

import aiohttp

from catalog.details import ScreeningDetails, check_showtime, read_details
from catalog.errors import PartnerUnavailableError, ScreeningUnknownError

# Details are about 500 bytes; whatever is longer is not them.
_MAX_ANSWER_BYTES = 64 * 1024


class PartnerClient:
    """One AMC-clone environment at *base_url*. A request takes at most *timeout_s* in all."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, timeout_s: float) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def screening_details(
        self, movie_id: str, place_id: str, auditorium_number: str, showtime_id: str
    ) -> ScreeningDetails:
        """`GET /screening/details`, checked and for the showtime that was asked for.

        Raises PartnerUnavailableError, ScreeningUnknownError or PartnerAnswerError.
        """
        query = {
            "movieId": movie_id,
            "placeId": place_id,
            "auditoriumNumber": auditorium_number,
            "showtimeId": showtime_id,
        }
        status, body = await self._get("/screening/details", query)
        if status == 404:
            raise ScreeningUnknownError("screening-unknown", "the partner answered 404")
        if status != 200:
            # A 4xx too: it is a fault of the set-up, which a person mends, and then all is well.
            raise PartnerUnavailableError(f"status-{status}", f"the partner answered {status}")
        details = read_details(body)
        check_showtime(details, showtime_id)
        return details

    async def _get(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        try:
            async with self._session.get(
                self._base_url + path,
                params=query,
                timeout=self._timeout,
                # What is asked for is at the address that was configured, or not at all.
                allow_redirects=False,
                headers={"Accept": "application/json"},
            ) as response:
                body = bytearray()
                async for block in response.content.iter_any():
                    body += block
                    if len(body) > _MAX_ANSWER_BYTES:
                        raise PartnerUnavailableError("too-long", "the answer does not end")
                return response.status, bytes(body)
        except TimeoutError as error:
            raise PartnerUnavailableError("timeout", "no answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise PartnerUnavailableError("connection", type(error).__name__) from error
