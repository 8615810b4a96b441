"""The bearer at the door."""

from __future__ import annotations

import pytest

from media.tokens import Keyring, Tokens
from tests.gateway.town import Town, bearer


async def refused(town: Town, headers: list[tuple[str, str]]) -> None:
    """Assert that the door stays shut, with the one message."""
    async with town.tell.get("/tell/tickets", headers=headers) as answer:
        assert answer.status == 401
        # RFC 6750 3.
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="tell"'
        body = await answer.json(content_type=None)
    assert body["code"] == "token-refused"
    assert body["detail"] == "Send the listener token of POST /tell/claims as a bearer."


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer ключ", "Bearer x,y"]
)
async def test_a_malformed_header_is_refused(town: Town, value: str) -> None:
    """Whatever is not Bearer and one token."""
    await refused(town, [("Authorization", value)])


async def test_no_header_and_two_headers_are_refused(town: Town) -> None:
    """There is one bearer or none."""
    _, listener = await town.ticket()
    await refused(town, [])
    value = f"Bearer {listener}"
    await refused(town, [("Authorization", value), ("Authorization", value)])


async def test_a_token_of_another_key_or_purpose_is_refused(town: Town) -> None:
    """Neither a stranger's signature nor a claim code opens the door."""
    sold, _ = await town.ticket()
    stranger = Tokens(Keyring([("k1", bytes(32))])).listener_token("a" * 26)
    for token in (stranger, sold.claim_code):
        await refused(town, list(bearer(token).items()))


async def test_the_scheme_s_case_does_not_matter(town: Town) -> None:
    """RFC 9110 11.1."""
    _, listener = await town.ticket()
    await town.text("/tell/tickets", Authorization=f"bearer  {listener}")
