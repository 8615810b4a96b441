"""`make demo LAN=1`: Tell by HTTPS on an address that a phone in the room can open.

Browsers give an app its storage, its service worker and its clock by HTTPS alone (Secure Contexts).
Tell itself stays on loopback; what stands here ends the encryption and carries bytes to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import ipaddress
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import segno
from aiohttp import web

from demo.certificates import Address, Certificates
from demo.services import DemoError

HTTPS_PORT, TRUST_PORT = 8443, 8088
# Documentation addresses (RFC 5737, RFC 3849): a route to them is a route out, and "connecting" a
# datagram socket sends nothing.
_OUTSIDE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_PIECE_BYTES = 64 * 1024
_AUTHORITY_PATH = "/tell-demo.crt"

UNTIL_TRUSTED = (
    "The browser warns of the certificate. Going past the warning shows the ticket and plays the "
    "stream.",
    "No service worker is allowed: Tell does not open without network, and what was downloaded "
    "plays only in a page that was opened before.",
    "Tell cannot be put on the home screen as an app, so the phone may remove downloads.",
)
HOW_TO_TRUST = (
    "iPhone: open the address above in Safari, allow the profile, then Settings, General, VPN & "
    "Device Management, install it; then Settings, General, About, Certificate Trust Settings, "
    "switch it on.",
    "Android: open the address above, download, then Settings, Security, More, Install a "
    "certificate, CA certificate. Chrome believes it; Firefox does not.",
    "Afterwards remove it at the same place. It can vouch for private addresses alone, for half a "
    "year.",
)


def chosen_address(wanted: str) -> Address:
    """Return the address to serve on: *wanted*, or this machine's own where that is "1".

    Raises DemoError.
    """
    if wanted == "1":
        return machine_address()
    try:
        return ipaddress.ip_address(wanted)
    except ValueError:
        raise DemoError(f"LAN={wanted} is no address; say LAN=1, or LAN=192.168.1.5") from None


def machine_address() -> Address:
    """Address by which this machine talks to others; raises DemoError where there is none."""
    for family, outside in _OUTSIDE:
        with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.connect((outside, 9))
            address = ipaddress.ip_address(probe.getsockname()[0].partition("%")[0])
            if not address.is_loopback:
                return address
    raise DemoError("this machine is on no network; name the address: make demo LAN=192.168.1.5")


def listening_socket(address: Address, wanted_port: int) -> socket.socket:
    """Listen on *wanted_port* of *address*, or on a free one where it is taken.

    Raises DemoError where the address is not this machine's.
    """
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    last: OSError | None = None
    for port in (wanted_port, 0):
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            # Connections of the last demo that time out still do not count.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((str(address), port))
        except OSError as error:
            made.close()
            last = error
        else:
            return made
    assert last is not None
    raise DemoError(f"{address} cannot be listened on: {last.strerror}") from last


def url_of(scheme: str, listener: socket.socket) -> str:
    """Return the URL of a bound socket; RFC 3986 3.2.2: an IPv6 address stands in brackets."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


@asynccontextmanager
async def https_front(
    tell_url: str, listener: socket.socket, certificates: Certificates
) -> AsyncIterator[None]:
    """Answer by HTTPS on *listener* what Tell answers at *tell_url*."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificates.chain, certificates.key)
    target = urlsplit(tell_url)
    connections: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            with contextlib.suppress(OSError):
                inner = await asyncio.open_connection(target.hostname, target.port)
                await _join((reader, writer), inner)
        except asyncio.CancelledError:
            # Cancelled below alone: the demo ends.
            pass
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(carry, sock=listener, ssl=context)
    try:
        yield
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


_Way = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(outer: _Way, inner: _Way) -> None:
    """Carry bytes both ways until one of the two has ended."""
    ways = {
        asyncio.create_task(_carry(outer[0], inner[1])),
        asyncio.create_task(_carry(inner[0], outer[1])),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        inner[1].close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE_BYTES):
        writer.write(piece)
        await writer.drain()


@asynccontextmanager
async def trust_page(
    listener: socket.socket, listen_url: str, certificates: Certificates
) -> AsyncIterator[None]:
    """Serve the authority's certificate without encryption, and a page that says what to do.

    A phone that does not trust the authority could not fetch it in another way.
    """
    body = _page(listen_url, certificates)

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="text/html", charset="utf-8")

    async def authority(_request: web.Request) -> web.Response:
        # What makes a phone offer to install it.
        return web.Response(
            body=certificates.authority_der(), content_type="application/x-x509-ca-cert"
        )

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get(_AUTHORITY_PATH, authority)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()


def _page(tell_url: str, certificates: Certificates) -> str:
    def items(lines: tuple[str, ...]) -> str:
        return "".join(f"<li>{html.escape(line)}</li>" for line in lines)

    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><title>Tell on this network</title></head>'
        "<body><h1>Tell on this network</h1>"
        f"<p>Tell is at {html.escape(tell_url)}. Its certificate was made for this demo.</p>"
        f'<p><a href="{_AUTHORITY_PATH}">Install the demo\'s authority</a></p>'
        f"<p>SHA-256, compare it with the terminal: {certificates.fingerprint()}</p>"
        f"<h2>How to trust it</h2><ul>{items(HOW_TO_TRUST)}</ul>"
        f"<h2>Until it is trusted</h2><ul>{items(UNTIL_TRUSTED)}</ul></body></html>"
    )


def show(listen_url: str, trust_url: str, certificates: Certificates) -> None:
    """Print what a person with a phone needs."""
    print("1. Trust the demo's authority, by the phone's camera or its browser:\n")
    print(qr_code(trust_url))
    print(f"\n   {trust_url}\n   SHA-256 {certificates.fingerprint()}\n")
    for line in HOW_TO_TRUST:
        print(f"   - {line}")
    print("\n2. Open the film that runs, in the same way:\n")
    print(qr_code(listen_url))
    print(f"\n   {listen_url}\n")
    print("Until the authority is trusted:")
    for line in UNTIL_TRUSTED:
        print(f"   - {line}")
    print(flush=True)


def qr_code(text: str) -> str:
    """QR code (ISO/IEC 18004) in half blocks, two modules to a line, with its quiet zone."""
    code = segno.make(text, error="m", micro=False)
    rows = [list(row) for row in code.matrix_iter(border=4)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    lines = [
        "".join(blocks[bool(upper), bool(lower)] for upper, lower in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]
    if sys.stdout.isatty():
        # White on black, whatever the terminal's own colours: not every scanner reads a negative.
        lines = [f"\x1b[97;40m{line}\x1b[0m" for line in lines]
    return "\n".join(lines)
