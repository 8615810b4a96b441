"""`make demo LAN=1`: Tell by real HTTPS, and the way to its authority."""

from __future__ import annotations

import asyncio
import html
import ipaddress
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509

from demo import lan
from demo.certificates import Certificates, ensure_certificates
from demo.services import DemoError

LOOPBACK = ipaddress.ip_address("127.0.0.1")
WHOLE = bytes(range(256)) * 4096


class Inside:
    """What stands for Tell: a large file, what was posted, and a stream without an end."""

    def __init__(self) -> None:
        self.url = ""
        self.left = asyncio.Event()

    async def file(self, _request: web.Request) -> web.Response:
        """A megabyte."""
        return web.Response(body=WHOLE)

    async def echo(self, request: web.Request) -> web.Response:
        """What was posted."""
        return web.Response(body=await request.read())

    async def events(self, request: web.Request) -> web.StreamResponse:
        """One line at once, and then nothing until the client goes."""
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()
        return response


@pytest.fixture
async def inside() -> AsyncIterator[Inside]:
    """A server on loopback that the front stands before."""
    made = Inside()
    app = web.Application()
    app.router.add_get("/file", made.file)
    app.router.add_post("/echo", made.echo)
    app.router.add_get("/events", made.events)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Certificates for loopback."""
    return ensure_certificates(tmp_path / "lan", LOOPBACK, datetime.now(UTC))


@pytest.fixture
async def front(inside: Inside, certificates: Certificates) -> AsyncIterator[str]:
    """The address by HTTPS."""
    listener = lan.listening_socket(LOOPBACK, 0)
    async with lan.https_front(inside.url, listener, certificates):
        yield lan.url_of("https", listener)


async def test_a_phone_that_trusts_the_authority_is_served(
    front: str, certificates: Certificates
) -> None:
    """Answers and bodies come through whole, on one connection."""
    trusting = ssl.create_default_context(cafile=certificates.authority)
    connector = aiohttp.TCPConnector(ssl=trusting, limit=1)
    async with aiohttp.ClientSession(front, connector=connector) as session:
        async with session.get("/file") as response:
            assert await response.read() == WHOLE
        async with session.post("/echo", data=WHOLE) as response:
            assert await response.read() == WHOLE


async def test_a_phone_that_does_not_is_refused_by_itself(front: str) -> None:
    """Nothing is taken on trust: the client ends it, and the front serves the next."""
    async with aiohttp.ClientSession(front) as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get("/file")
        async with session.get("/file", ssl=False) as response:
            assert response.status == 200


async def test_who_leaves_an_endless_answer_frees_it_inside(
    front: str, certificates: Certificates, inside: Inside
) -> None:
    """The events of a phone that is gone end at Tell too, and are not kept open for ever."""
    trusting = ssl.create_default_context(cafile=certificates.authority)
    async with (
        aiohttp.ClientSession(front) as session,
        session.get("/events", ssl=trusting) as response,
    ):
        assert await response.content.readline() == b"data: 1\n"
        assert not inside.left.is_set()
    async with asyncio.timeout(60):
        await inside.left.wait()


async def test_the_authority_is_fetched_without_trust(certificates: Certificates) -> None:
    """By plain HTTP, as a phone installs it, with its fingerprint on the page to compare."""
    listener = lan.listening_socket(LOOPBACK, 0)
    async with (
        lan.trust_page(listener, "https://127.0.0.1:8443", certificates),
        aiohttp.ClientSession(lan.url_of("http", listener)) as session,
    ):
        async with session.get("/") as response:
            page = html.unescape(await response.text())
        async with session.get("/tell-demo.crt") as response:
            assert response.content_type == "application/x-x509-ca-cert"
            fetched = x509.load_der_x509_certificate(await response.read())
    assert fetched == x509.load_pem_x509_certificate(certificates.authority.read_bytes())
    assert certificates.fingerprint() in page
    assert "https://127.0.0.1:8443" in page
    for sentence in lan.UNTIL_TRUSTED:
        assert sentence in page


def test_what_is_printed_says_all_of_it(
    certificates: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two QR codes, both addresses, the fingerprint, and what does not work before."""
    lan.show("https://127.0.0.1:8443/listen#code", "http://127.0.0.1:8088", certificates)
    said = capsys.readouterr().out
    assert said.count("█▀▀▀▀▀█") + said.count(" ▄▄▄▄▄ ") >= 6
    for words in ("https://127.0.0.1:8443/listen#code", "http://127.0.0.1:8088"):
        assert words in said
    assert certificates.fingerprint() in said
    for sentence in lan.UNTIL_TRUSTED:
        assert sentence in said


def test_the_address_is_the_one_that_was_named() -> None:
    """Anything that is no address is refused with the mend."""
    assert lan.chosen_address("192.168.1.5") == ipaddress.ip_address("192.168.1.5")
    with pytest.raises(DemoError, match="say LAN=1, or LAN="):
        lan.chosen_address("my-laptop")


def test_an_address_of_another_machine_is_refused() -> None:
    """Said before anything is packaged or sold."""
    with pytest.raises(DemoError, match=r"192\.0\.2\.1 cannot be listened on"):
        lan.listening_socket(ipaddress.ip_address("192.0.2.1"), 0)


def test_a_taken_port_is_passed_over() -> None:
    """The demo starts beside another one, on a port that is free."""
    with lan.listening_socket(LOOPBACK, 0) as taken:
        taken.listen()
        wanted = taken.getsockname()[1]
        with lan.listening_socket(LOOPBACK, wanted) as other:
            assert other.getsockname()[1] != wanted
