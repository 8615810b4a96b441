"""Buying by the API and by the page, and the QR code."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
import segno

from tests.amc_clone.cinema import Cinema
from tests.amc_clone.partner import LISTEN_URL, TellServer, problem

SVG = "{http://www.w3.org/2000/svg}"
ANSWERED = {"Prefer": "wait=20"}


async def buy(cinema: Cinema) -> dict[str, Any]:
    """Buy a ticket by the API."""
    screening = await cinema.put_on()
    body = {"showtime_id": screening.showtime_id}
    async with cinema.client.post("/api/purchases", json=body) as answer:
        assert answer.status == 201, await answer.text()
        purchase: dict[str, Any] = await answer.json()
        assert answer.headers["Location"] == f"/api/purchases/{purchase['purchase_id']}"
        assert answer.headers["Cache-Control"] == "no-store"
        return purchase


@pytest.mark.both_databases
async def test_a_ticket_is_sold_before_tell_knows(cinema: Cinema) -> None:
    """201 at once, pending; the look without waiting says the same."""
    purchase = await buy(cinema)
    assert purchase["status"] == "pending"
    assert purchase["listen_url"] is None
    async with cinema.client.get(f"/api/purchases/{purchase['purchase_id']}") as answer:
        assert (await answer.json())["status"] == "pending"


@pytest.mark.both_databases
async def test_the_listen_link_comes_with_tells_answer(cinema_and_tell: Cinema) -> None:
    """`Prefer: wait` (RFC 7240) saves the client from asking again and again."""
    purchase = await buy(cinema_and_tell)
    address = f"/api/purchases/{purchase['purchase_id']}"
    async with cinema_and_tell.client.get(address, headers=ANSWERED) as answer:
        found = await answer.json()
    assert found["status"] == "ready"
    assert found["listen_url"] == LISTEN_URL
    assert found["correlation_id"] == "correlation-1"
    assert found["failure"] is None
    assert found["screening"]["title"] == "One Week"


@pytest.mark.both_databases
async def test_a_final_no_is_told(cinema_and_tell: Cinema, tell: TellServer) -> None:
    """With its status and Tell's words."""
    tell.refusals = [problem(422, "invalid-body", "no such field")]
    purchase = await buy(cinema_and_tell)
    address = f"/api/purchases/{purchase['purchase_id']}"
    async with cinema_and_tell.client.get(address, headers=ANSWERED) as answer:
        found = await answer.json()
    assert found["status"] == "refused"
    assert found["failure"] == {"status": 422, "said": "invalid-body: no such field"}
    async with cinema_and_tell.client.get(f"/purchases/{purchase['purchase_id']}") as answer:
        assert "Tell could not take this ticket" in await answer.text()


async def test_what_cannot_be_sold_is_told(cinema: Cinema) -> None:
    """Over: 409. Unknown: 404. Without a showtime_id: 400."""
    screening = await cinema.put_on()
    cinema.clock.now = screening.credits_end
    for body, status, code in (
        ({"showtime_id": screening.showtime_id}, 409, "screening-ended"),
        ({"showtime_id": "st-unknown"}, 404, "screening-not-found"),
        ({}, 400, "invalid-body"),
    ):
        async with cinema.client.post("/api/purchases", json=body) as answer:
            assert answer.status == status
            assert (await answer.json(content_type=None))["code"] == code


async def test_the_form_leads_to_the_tickets_page(cinema_and_tell: Cinema) -> None:
    """303 to an address that nobody can guess, and the page has the link and the code."""
    screening = await cinema_and_tell.put_on()
    async with cinema_and_tell.client.post(
        "/purchases", data={"showtime_id": screening.showtime_id}, allow_redirects=False
    ) as answer:
        assert answer.status == 303
        address = answer.headers["Location"]
    assert re.fullmatch(r"/purchases/[a-z2-7]{24}", address)
    async with cinema_and_tell.client.get(address, headers=ANSWERED) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        page = await answer.text()
    assert f'href="{LISTEN_URL}"' in page
    assert f'src="{address}/qr.svg"' in page
    assert "<script" not in page


async def test_the_page_says_that_the_link_is_on_its_way(cinema: Cinema) -> None:
    """It looks again by a script, and without scripts by loading itself anew."""
    purchase = await buy(cinema)
    async with cinema.client.get(purchase["page"]) as answer:
        page = await answer.text()
    assert "on its way" in page
    assert '<script src="/static/ticket.js" type="module"></script>' in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page


@pytest.mark.parametrize("path", ["/purchases/unknown", "/purchases/%FFunknown/qr.svg"])
async def test_an_unknown_ticket_is_404_as_a_page(cinema: Cinema, path: str) -> None:
    """For people in HTML, and without the id that was tried."""
    async with cinema.client.get(path, headers={"Accept": "text/html"}) as answer:
        assert answer.status == 404
        assert answer.content_type == "text/html"
        page = await answer.text()
    assert "There is no such purchase." in page
    assert "unknown" not in page


async def test_there_is_no_code_before_the_link(cinema: Cinema) -> None:
    """404 while Tell has not answered."""
    purchase = await buy(cinema)
    async with cinema.client.get(f"{purchase['page']}/qr.svg") as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b""),
        ("application/x-www-form-urlencoded", b"showtime_id=%2F"),
        ("application/x-www-form-urlencoded; charset=none-such", b"showtime_id=st-1"),
        ("application/x-www-form-urlencoded", b"showtime_id=\xff"),
        ("multipart/form-data", b"x"),
        ("text/plain", b"showtime_id=st-1"),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused(
    cinema: Cinema, content_type: str, body: bytes
) -> None:
    """400 as a page."""
    headers = {"Content-Type": content_type, "Accept": "text/html"}
    async with cinema.client.post("/purchases", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert answer.content_type == "text/html"


def drawn_modules(svg: bytes) -> tuple[set[tuple[int, int]], int]:
    """The dark modules of a QR code's SVG as (column, row), and the width of the whole."""
    root = ElementTree.fromstring(svg)  # noqa: S314  (made by the code under test)
    size = int(root.attrib["viewBox"].split()[2])
    path = next(each for each in root.iter(f"{SVG}path") if each.get("stroke") == "#000")
    dark, x, y = set(), 0.0, 0.0
    for command, numbers in re.findall(r"([Mmhv])([-\d. ]*)", path.attrib["d"]):
        values = [float(each) for each in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            dark |= {(int(x) + step, int(y)) for step in range(int(values[0]))}
            x += values[0]
    return dark, size


async def test_the_code_holds_the_listen_link(cinema_and_tell: Cinema) -> None:
    """Module for module the symbol of the link, on white, with a quiet zone of four."""
    purchase = await buy(cinema_and_tell)
    address = f"/api/purchases/{purchase['purchase_id']}"
    async with cinema_and_tell.client.get(address, headers=ANSWERED) as answer:
        assert (await answer.json())["status"] == "ready"
    async with cinema_and_tell.client.get(f"{purchase['page']}/qr.svg") as answer:
        assert answer.status == 200
        assert answer.content_type == "image/svg+xml"
        assert answer.headers["Cache-Control"] == "no-store"
        svg = await answer.read()
    dark, size = drawn_modules(svg)
    symbol = segno.make(LISTEN_URL, error="m", micro=False).matrix
    right = {
        (column + 4, row + 4)
        for row, modules in enumerate(symbol)
        for column, module in enumerate(modules)
        if module
    }
    assert size == len(symbol) + 8
    assert dark == right
    assert b'fill="#fff"' in svg
