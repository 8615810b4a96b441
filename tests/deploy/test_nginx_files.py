"""Each file of deploy/nginx as an operator gets it: filled in by fill.sh, and taken by nginx."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import shlex
import ssl
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDictProxy

from demo.certificates import Certificates, ensure_certificates
from demo.services import DemoError, free_port
from demo.services.nginx import CONFIGURATIONS, filled, for_tests, running_nginx
from gateway.server import IDLE_S
from gateway.settings import ServerSettings
from tests.deploy.nginx import needs_nginx

__all__ = ["needs_nginx"]

NAME = "tell.example"
PLACES = {
    "bench.conf": {"media": "/nowhere", "secret": "x"},
    "delivery.conf": {"tell": "127.0.0.1:9", "media": "/nowhere"},
    "replicas.conf": {"first": "127.0.0.1:9", "second": "127.0.0.1:9"},
}
# What Tell says of every answer; nginx must not say it a second time.
OF_TELL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=31536000, immutable",
}
HSTS = "Strict-Transport-Security"


def certificates(folder: Path) -> Certificates:
    """Of an authority of this test's own, for 127.0.0.1."""
    address = ipaddress.ip_address("127.0.0.1")
    return ensure_certificates(folder / "certificates", address, datetime.now(UTC))


async def with_https(folder: Path, https: int, http: int) -> dict[str, str]:
    """Write tls.conf and redirect.conf as an operator does; returns what includes them."""
    folder.mkdir(parents=True, exist_ok=True)
    own = certificates(folder)
    values = {
        **for_tests(folder, 0),
        "name": NAME,
        "certificate": str(own.chain),
        "key": str(own.key),
        "https": f"127.0.0.1:{https}",
        "http": f"127.0.0.1:{http}",
    }
    includes = {}
    for name in ("tls", "redirect"):
        path = folder / f"{name}.conf"
        path.write_text(await filled(f"{name}.conf", values))
        includes[name] = f"include {path.absolute()};"
    return includes


def test_each_file_is_tested_here() -> None:
    """A configuration that is added must be added below too."""
    names = {path.name for path in CONFIGURATIONS.glob("*.conf")}
    assert names == {*PLACES, "tls.conf", "redirect.conf"}


@pytest.mark.parametrize("name", ["delivery.conf", "replicas.conf"])
def test_nginx_lets_go_of_an_idle_connection_before_tell_does(name: str) -> None:
    """Or Tell could close one, idle or retiring, just when nginx sends a POST into it: a 502."""
    text = (CONFIGURATIONS / name).read_text("utf-8")
    upstreams = re.findall(r"upstream \w+ \{(.*?)\n    \}", text, re.DOTALL)
    kept = [each for each in upstreams if re.search(r"^\s*keepalive \d+;", each, re.MULTILINE)]
    assert kept
    for each in kept:
        (seconds,) = re.findall(r"^\s*keepalive_timeout (\d+)s;", each, re.MULTILINE)
        # With some seconds for a busy nginx, and within the time that a retiring worker has.
        assert int(seconds) + 5 <= IDLE_S < ServerSettings().hand_over_s
        assert int(seconds) + 5 <= ServerSettings().idle_s


@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize("name", sorted(PLACES))
async def test_nginx_takes_it(needs_nginx: str, tmp_path: Path, name: str, *, https: bool) -> None:
    """`nginx -t`, which opens the files that it names, has nothing to say, not even a warning."""
    values = {**for_tests(tmp_path, free_port()), **PLACES[name]}
    if https and name != "bench.conf":
        values |= await with_https(tmp_path / "tls", free_port(), free_port())
    config = tmp_path / "nginx.conf"
    config.write_text(await filled(name, values))
    options = ("-t", "-q", "-p", str(tmp_path), "-e", "stderr", "-c", str(config))
    process = await asyncio.create_subprocess_exec(needs_nginx, *options, stderr=PIPE)
    _, said = await process.communicate()
    assert (process.returncode, said.decode()) == (0, "")


@pytest.mark.parametrize(
    ("name", "values"), [(name, {}) for name in (*PLACES, "tls.conf", "redirect.conf")]
)
async def test_a_value_that_is_missing_is_said(name: str, values: dict[str, str]) -> None:
    """And nothing is printed, so that no half-filled file is used."""
    with pytest.raises(DemoError, match=r"give [a-z]+=\.\.\."):
        await filled(name, values)


async def test_values_come_in_as_they_are() -> None:
    """Slashes, ampersands, backslashes and at signs mean nothing to who fills them in."""
    odd = r"/a\b&c|d@name@e"
    text = await filled("tls.conf", {"name": NAME, "certificate": odd, "key": "k"})
    assert f"ssl_certificate {odd};" in text
    assert f"server_name {NAME};" in text
    assert "listen 443 ssl" in text


async def test_the_commands_of_the_page_are_right(needs_nginx: str, tmp_path: Path) -> None:
    """docs/deployment.md: its fill.sh commands give what nginx takes, in an operator's order."""
    page = (CONFIGURATIONS.parents[1] / "docs" / "deployment.md").read_text("utf-8")
    text = page.replace("\\\n", " ")
    commands = [
        shlex.split(each) for each in re.findall(r"^ +sh fill\.sh (.*)>", text, re.MULTILINE)
    ]
    assert [name for name, *_ in commands] == ["tls.conf", "redirect.conf", "replicas.conf"]
    own = certificates(tmp_path)
    here = for_tests(tmp_path, free_port()) | {
        "certificate": str(own.chain),
        "key": str(own.key),
        "https": f"127.0.0.1:{free_port()}",
        "http": f"127.0.0.1:{free_port()}",
    }
    for name, *values in commands:
        given = dict(each.split("=", 1) for each in values)
        # Its folder on that machine, and the one here.
        moved = {
            key: value.replace("/etc/nginx/tell-", f"{tmp_path}/") for key, value in given.items()
        }
        (tmp_path / name).write_text(await filled(name, {**moved, **here}))
    options = ("-t", "-q", "-p", str(tmp_path), "-e", "stderr", "-c", str(tmp_path / name))
    process = await asyncio.create_subprocess_exec(needs_nginx, *options, stderr=PIPE)
    _, said = await process.communicate()
    assert (process.returncode, said.decode()) == (0, "")


@asynccontextmanager
async def served(configuration: str, folder: Path) -> AsyncIterator[tuple[str, str, str]]:
    """URLs by HTTPS, by plain HTTP, and of this machine alone, of an nginx before a stand-in."""

    async def decide(_request: web.Request) -> web.Response:
        return web.Response(
            status=204, headers={"X-Tell-Track": "one", "X-Accel-Expires": "60", **OF_TELL}
        )

    async def tell(_request: web.Request) -> web.Response:
        return web.Response(text="Tell's own", headers=OF_TELL)

    app = web.Application()
    app.router.add_get("/stream/{token}/decision", decide)
    app.router.add_route("*", "/{path:.*}", tell)
    server = TestServer(app)
    await server.start_server()
    media = folder / "media" / "one"
    media.mkdir(parents=True)
    (media / "aac-64k.mp4").write_bytes(b"sound")
    place = f"127.0.0.1:{server.port}"
    https, http = free_port(), free_port()
    values = {"first": place, "second": place, "tell": place, "media": str(media.parent)}
    values |= await with_https(folder / "nginx", https, http)
    try:
        async with running_nginx(configuration, folder / "nginx", values) as nginx:
            yield f"https://127.0.0.1:{https}", f"http://127.0.0.1:{http}", nginx.url
    finally:
        await server.close()


async def ask(
    url: str, folder: Path, method: str = "GET", host: str = NAME, **headers: str
) -> tuple[int, CIMultiDictProxy[str]]:
    """Status and headers; redirects are not followed."""
    trusted = ssl.create_default_context(cafile=str(certificates(folder / "nginx").authority))
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method, url, ssl=trusted, allow_redirects=False, headers={"Host": host, **headers}
        ) as answer,
    ):
        await answer.read()
        return answer.status, answer.headers


@pytest.mark.usefixtures("needs_nginx")
@pytest.mark.parametrize("configuration", ["replicas.conf", "delivery.conf"])
async def test_each_header_is_said_once(tmp_path: Path, configuration: str) -> None:
    """By Tell or by nginx, in a page, in a file that nginx sends, and in one that Tell does."""
    async with served(configuration, tmp_path) as (https, _, here):
        for path, headers in (
            ("/listen", {}),
            ("/stream/a~token/aac-64k.mp4", {}),
            ("/stream/a~token/aac-64k.mp4", {"If-Range": '"tag"'}),
            ("/stream/a~token/aac-999k.mp4", {}),
        ):
            _, said = await ask(https + path, tmp_path, **headers)
            for name, value in {**OF_TELL, HSTS: "max-age=31536000"}.items():
                assert said.getall(name) == [value], (path, name)
            # Who came without TLS could be told anything by whoever stands between.
            _, said = await ask(here + path, tmp_path, **headers)
            assert HSTS not in said


@pytest.mark.usefixtures("needs_nginx")
@pytest.mark.parametrize("configuration", ["replicas.conf", "delivery.conf"])
async def test_plain_http_leads_to_https(tmp_path: Path, configuration: str) -> None:
    """To our own name, whatever the client calls us; a balancer's question is answered."""
    async with served(configuration, tmp_path) as (_, http, _):
        status, said = await ask(f"{http}/listen?a=b", tmp_path, host="elsewhere.example")
        assert (status, said["Location"]) == (301, f"https://{NAME}/listen?a=b")
        assert HSTS not in said
        assert (await ask(f"{http}/tell/purchase", tmp_path, "POST"))[0] == 301
        assert (await ask(f"{http}/healthz", tmp_path))[0] == 200
        assert (await ask(f"{http}/ops", tmp_path))[0] == 301


@pytest.mark.usefixtures("needs_nginx")
async def test_tls_is_1_2_or_1_3_and_speaks_http_2(tmp_path: Path) -> None:
    """What is older is refused; a player may fetch several segments on one connection."""
    async with served("replicas.conf", tmp_path) as (https, _, _):
        port = int(https.rpartition(":")[2])
        context = ssl.create_default_context(cafile=str(certificates(tmp_path / "nginx").authority))
        context.set_alpn_protocols(["h2", "http/1.1"])
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        connection = writer.get_extra_info("ssl_object")
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() == "h2"
        writer.close()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        name, _, _ = writer.get_extra_info("cipher")
        assert name.startswith("ECDHE-")
        writer.close()
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            context.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        # Else this side would refuse to say it.
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises(ssl.SSLError, match=r"(?i)version|alert"):
            await asyncio.open_connection("127.0.0.1", port, ssl=context)
