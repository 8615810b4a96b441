"""A hundred thousand tokens that nobody signed, or not for this: none opens anything."""

from __future__ import annotations

import ast
import inspect
import random
import textwrap
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from media.errors import TokenError, TokenExpiredError, TokenInvalidError
from media.tokens import Keyring, StreamClaims, Tokens
from tests.media.claims import CLAIMS, NOW

KEYS = (("k1", bytes(range(32))), ("s1", bytes(range(32, 64))))
TOKENS = Tokens(Keyring(KEYS))
STRANGER = Tokens(Keyring([("k1", bytes(32)), ("s1", b"x" * 32)]))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
UNICODE = "éß٣１ａК\u200b\u202e\u0000\U0001f600\ud800\N{KELVIN SIGN}\N{FULLWIDTH TILDE}"
EACH = 10_000


class Kind(NamedTuple):
    """The tokens of a path: one that is good, and how they are signed and read, and the others."""

    token: str
    sign: Callable[[Tokens, StreamClaims], str]
    other: Callable[[Tokens, StreamClaims], str]
    read: Callable[[str, datetime], StreamClaims]


STREAM = Kind(
    TOKENS.stream_token(CLAIMS),
    Tokens.stream_token,
    Tokens.access_token,
    TOKENS.read_stream_token,
)
ACCESS = Kind(
    TOKENS.access_token(CLAIMS),
    Tokens.access_token,
    Tokens.stream_token,
    TOKENS.read_access_token,
)


def bits(chance: random.Random, kind: Kind) -> str:
    """One to eight bits of its bytes turned."""
    data = bytearray(kind.token.encode())
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data.decode("latin-1")


def lengths(chance: random.Random, kind: Kind) -> str:
    """Cut off in front or behind, or with more, up to ten times as long."""
    how = chance.randrange(4)
    cut = chance.randrange(1, len(kind.token))
    if how == 0:
        return kind.token[:cut]
    if how == 1:
        return kind.token[cut:]
    more = "".join(chance.choices(ALPHABET, k=chance.randint(1, 1500)))
    return kind.token + more if how == 2 else more + kind.token


def other_keys(chance: random.Random, kind: Kind) -> str:
    """Rightly signed, but by a key of that id that is not ours, or under another key's id."""
    claims = StreamClaims(
        chance.choice((CLAIMS.ticket, "a" * 20)),
        chance.randrange(1_000_000),
        *("one-week", "en", "0123456789abcdef"),
        NOW + timedelta(seconds=chance.randint(1, 10**9)),
    )
    if chance.random() < 0.5:
        return kind.sign(STRANGER, claims)
    other = chance.choice(("k1", "k2", "s2", "", "none", "K1"))
    return f"{other}~{kind.sign(TOKENS, claims).partition('~')[2]}"


def other_salts(chance: random.Random, kind: Kind) -> str:
    """Rightly signed by us for another purpose."""
    claims = StreamClaims(
        CLAIMS.ticket,
        chance.randrange(1_000_000),
        *("one-week", "en", "0123456789abcdef"),
        CLAIMS.expires_at,
    )
    return chance.choice(
        (
            kind.other(TOKENS, claims),
            TOKENS.claim_code(f"{chance.getrandbits(60):x}"),
            TOKENS.listener_token(f"{chance.getrandbits(60):x}"),
        )
    )


def other_fields(chance: random.Random, kind: Kind) -> str:
    """Another film, screening, ticket, language, version or time under the same signature."""
    parts = kind.token.split("~")
    at = chance.randrange(1, len(parts) - 1)
    made = "".join(chance.choices("abcdef0123456789-.", k=chance.randint(1, 20)))
    parts[at] = made if made != parts[at] else "x"
    return "~".join(parts)


def shuffled(chance: random.Random, kind: Kind) -> str:
    """Its parts in another order, doubled, or one missing."""
    parts = kind.token.split("~")
    changed = list(parts)
    while changed == parts:
        how = chance.randrange(3)
        if how == 0:
            chance.shuffle(changed)
        elif how == 1:
            changed.insert(chance.randrange(len(changed)), chance.choice(parts))
        elif len(changed) > 1:
            del changed[chance.randrange(len(changed))]
    return "~".join(changed)


def expired(chance: random.Random, kind: Kind) -> str:
    """Ours, and over by a second or by years."""
    over = NOW - timedelta(seconds=chance.randint(0, 10**8))
    return kind.sign(
        TOKENS, StreamClaims(CLAIMS.ticket, 4711, "one-week", "en", "0123456789abcdef", over)
    )


def prolonged(chance: random.Random, kind: Kind) -> str:
    """An expired token of ours with a time to come written into it."""
    parts = expired(chance, kind).split("~")
    later = NOW + timedelta(seconds=chance.randint(1, 10**9))
    parts[-2] = f"{int(later.timestamp()):x}"
    return "~".join(parts)


def unicode(chance: random.Random, kind: Kind) -> str:
    """Characters that look like its own, or like none, anywhere in it."""
    characters = list(kind.token)
    for _ in range(chance.randint(1, 5)):
        characters[chance.randrange(len(characters))] = chance.choice(UNICODE)
    return "".join(characters)


def signatures(chance: random.Random, kind: Kind) -> str:
    """Another signature: made up, of another token, padded, or spelt in another way."""
    value, _, signature = kind.token.rpartition("~")
    other = TOKENS.claim_code(f"{chance.getrandbits(60):x}").rpartition("~")[2]
    made_up = "".join(chance.choices(ALPHABET[:64], k=chance.choice((0, 1, 42, 43, 44))))
    spelt = signature[:-1] + chance.choice(ALPHABET.replace(signature[-1], ""))
    padded = signature + chance.choice("= \n\t%") * chance.randint(1, 3)
    return f"{value}~{chance.choice((other, made_up, spelt, padded))}"


Way = Callable[[random.Random, Kind], str]
WAYS: tuple[Way, ...] = (
    *(bits, lengths, other_keys, other_salts, other_fields),
    *(shuffled, expired, prolonged, unicode, signatures),
)


def made(way: Way) -> Iterator[tuple[Kind, str]]:
    """Ten thousand of one way, the same ones each time; every other one is an access token."""
    chance = random.Random(way.__name__)  # noqa: S311
    for number in range(EACH):
        kind = ACCESS if number % 2 else STREAM
        yield kind, way(chance, kind)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_none_of_ten_thousand_is_accepted(way: Way) -> None:
    """Each is refused with our own error, and the one for its kind."""
    error = TokenExpiredError if way is expired else TokenInvalidError
    tried = set()
    for kind, token in made(way):
        if token == kind.token:
            # Bits that were turned back.
            continue
        tried.add(token)
        with pytest.raises(TokenError) as caught:
            kind.read(token, NOW)
        assert type(caught.value) is error, token
    # They are not all the same one.
    assert len(tried) > 50


def test_there_are_a_hundred_thousand() -> None:
    """And those that they were made from are accepted."""
    assert len(WAYS) * EACH == 100_000
    for kind in (STREAM, ACCESS):
        assert kind.read(kind.token, NOW) == CLAIMS


def test_signatures_are_compared_in_constant_time() -> None:
    """By hmac.compare_digest, and nothing else looks at a signature in the code that decides."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(Keyring.verify)))
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert calls.count("hmac.compare_digest") == 1
    compared = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    assert not [text for text in compared if "signature" in text]
