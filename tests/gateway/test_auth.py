"""The bearer at the door."""

from __future__ import annotations

import pytest

from media.tokens import Keyring, Tokens
from tests.gateway.town import Town

# The one answer to whatever does not open the door; the challenge after RFC 6750 3.
REFUSED = (
    401,
    'Bearer realm="tell"',
    "token-refused",
    "Send the listener token of POST /tell/claims as a bearer.",
)


async def door(town: Town, *values: str) -> tuple[int, str | None, str | None, str | None]:
    """What the door says to these Authorization headers: status, challenge, code and detail."""
    headers = [("Authorization", value) for value in values]
    async with town.tell.get("/tell/tickets", headers=headers) as answer:
        body = await answer.json(content_type=None)
        challenge = answer.headers.get("WWW-Authenticate")
    return answer.status, challenge, body.get("code"), body.get("detail")


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer ключ", "Bearer x,y"]
)
async def test_a_malformed_header_is_refused(town: Town, value: str) -> None:
    """Whatever is not Bearer and one token."""
    assert await door(town, value) == REFUSED


async def test_no_header_and_two_headers_are_refused(town: Town) -> None:
    """There is one bearer or none."""
    _, listener = await town.ticket()
    value = f"Bearer {listener}"
    assert await door(town) == REFUSED
    assert await door(town, value, value) == REFUSED
    assert (await door(town, value))[0] == 200


async def test_a_token_of_another_key_or_purpose_is_refused(town: Town) -> None:
    """Neither a stranger's signature nor a claim code opens the door."""
    sold, _ = await town.ticket()
    stranger = Tokens(Keyring([("k1", bytes(32))])).listener_token("a" * 26)
    for token in (stranger, sold.claim_code):
        assert await door(town, f"Bearer {token}") == REFUSED


async def test_the_scheme_s_case_does_not_matter(town: Town) -> None:
    """RFC 9110 11.1."""
    sold, listener = await town.ticket()
    for scheme in ("bearer", "BEARER"):
        text = await town.text("/tell/tickets", Authorization=f"{scheme}  {listener}")
        assert sold.correlation_id in text
