from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import unused_port

from catalog.errors import PartnerAnswerError, PartnerUnavailableError, ScreeningUnknownError
from catalog.partner.client import PartnerClient
from tests.catalog.samples import PartnerServer, failing, garbage

QUERY = ("steamboat", "grand lake & co", "7+", "st/1?")


async def test_the_question_arrives_as_it_was_meant(
    partner: PartnerServer, client: PartnerClient
) -> None:
    """Ids reach the partner verbatim, whatever characters they hold, and the answer comes back."""
    details = await client.screening_details(*QUERY)
    assert details.showtime_id == "st/1?"
    assert partner.asked == [
        {
            "movieId": "steamboat",
            "placeId": "grand lake & co",
            "auditoriumNumber": "7+",
            "showtimeId": "st/1?",
        }
    ]


@pytest.mark.parametrize("status", [301, 400, 401, 403, 429, 500, 502, 503, 204])
async def test_other_statuses_mean_try_again(
    partner: PartnerServer, client: PartnerClient, status: int
) -> None:
    """A status that is neither 200 nor 404 is the partner's trouble, named by its number."""
    partner.answer = lambda: web.Response(status=status, headers={"Location": "/elsewhere"})
    with pytest.raises(PartnerUnavailableError) as refused:
        await client.screening_details(*QUERY)
    assert refused.value.reason == f"status-{status}"
    assert len(partner.asked) == 1


async def test_404_is_told_apart(partner: PartnerServer, client: PartnerClient) -> None:
    """A screening that the partner does not know (yet) is no failure of the partner."""
    partner.answer = failing(404)
    with pytest.raises(ScreeningUnknownError):
        await client.screening_details(*QUERY)


async def test_an_error_page_is_no_answer(partner: PartnerServer, client: PartnerClient) -> None:
    """HTML with status 200 is a proxy's, and will pass."""
    partner.answer = garbage
    with pytest.raises(PartnerUnavailableError, match="not-json"):
        await client.screening_details(*QUERY)


async def test_another_showtime_is_an_answer_that_cannot_be(
    partner: PartnerServer, client: PartnerClient
) -> None:
    """The client itself checks the echo."""
    partner.changes = {"showtime_id": "st-2"}
    with pytest.raises(PartnerAnswerError, match="showtime-mismatch"):
        await client.screening_details(*QUERY)


async def test_an_endless_answer_is_cut(partner: PartnerServer, client: PartnerClient) -> None:
    """An answer over 64 KiB is dropped instead of filling the memory."""
    partner.answer = lambda: web.Response(body=b" " * (64 * 1024 + 1))
    with pytest.raises(PartnerUnavailableError, match="too-long"):
        await client.screening_details(*QUERY)


async def test_a_slow_partner_is_given_up(partner: PartnerServer, partner_url: str) -> None:
    """After the time-out the look-up ends, though the partner still holds the connection."""
    partner.open.clear()
    async with ClientSession() as session, asyncio.timeout(20):
        client = PartnerClient(session, partner_url, timeout_s=0.05)
        with pytest.raises(PartnerUnavailableError, match="timeout"):
            await client.screening_details(*QUERY)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:{port}", "http://[::1", "no-url"])
async def test_nobody_there_is_our_error(base_url: str) -> None:
    """A refused connection and an address that is none are told as unavailable."""
    async with ClientSession() as session:
        client = PartnerClient(session, base_url.format(port=unused_port()), timeout_s=5)
        with pytest.raises(PartnerUnavailableError, match="connection"):
            await client.screening_details(*QUERY)


async def test_a_broken_connection_is_our_error() -> None:
    """A partner that speaks no HTTP is unavailable."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, ClientSession() as session:
        client = PartnerClient(session, f"http://127.0.0.1:{port}", timeout_s=5)
        with pytest.raises(PartnerUnavailableError):
            await client.screening_details(*QUERY)
