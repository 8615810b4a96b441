"""Whose request it is: only our own proxies' word counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import Proxies, client_address, partition, read_networks

PROXIES = Proxies(read_networks(["10.0.0.0/8", "192.0.2.1", "2001:db8:ffff::/48"]))
RFC7239 = Proxies(PROXIES.networks, "forwarded")
STRANGER = "203.0.113.7"
CLIENT = "198.51.100.9"


def client(peer: str | None, header: str | None, proxies: Proxies = PROXIES) -> str:
    """The client's address, as text."""
    return str(client_address(peer, () if header is None else (header,), proxies))


@pytest.mark.parametrize("header", [None, CLIENT, "10.0.0.1"])
def test_a_stranger_is_itself_whatever_it_says(header: str | None) -> None:
    """A header that comes straight from a client is its own invention."""
    assert client(STRANGER, header) == STRANGER


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (CLIENT, CLIENT),
        (f"1.1.1.1, {CLIENT}", CLIENT),
        (f"1.1.1.1,{CLIENT} , 10.9.9.9,192.0.2.1", CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        (f"::ffff:{CLIENT}", CLIENT),
        # Nothing but proxies: the one furthest away that we know.
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        # A hop that cannot be read ends the walk at the proxy that wrote it.
        (f"{CLIENT}, unknown, 10.2.2.2", "10.2.2.2"),
        (f"{CLIENT}, , 10.2.2.2", "10.2.2.2"),
        ("", "10.0.0.1"),
        (None, "10.0.0.1"),
    ],
)
def test_x_forwarded_for_is_read_from_the_right(header: str | None, found: str) -> None:
    """As far as each hop is ours; what a client wrote on the left is never reached."""
    assert client("10.0.0.1", header) == found


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"for={CLIENT}", CLIENT),
        (f"For={CLIENT};proto=https;by=10.0.0.1", CLIENT),
        (f'proto=https; for="{CLIENT}:4711"', CLIENT),
        ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        (f"for=1.1.1.1, for={CLIENT}, for=10.3.3.3", CLIENT),
        (f'for="1.1.1.1, for=2.2.2.2", for={CLIENT}', CLIENT),
        (f'for={CLIENT};host="a\\",for=9.9.9.9,\\"b", for=10.3.3.3', CLIENT),
        # RFC 7239 6.2 and 6.3: an unknown and a hidden node name no address.
        (f"for={CLIENT}, for=unknown, for=10.3.3.3", "10.3.3.3"),
        ("for=_hidden", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
        # An element that is no list of pairs, or has two `for`, is nobody's word.
        (f"for={CLIENT};for=2.2.2.2", "10.0.0.1"),
        (f"for={CLIENT};=", "10.0.0.1"),
        ('for="', "10.0.0.1"),
    ],
)
def test_forwarded_is_read_as_rfc_7239_writes_it(header: str, found: str) -> None:
    """Quoted commas and semicolons part nothing; names are read in any case."""
    assert client("10.0.0.1", header, RFC7239) == found


def test_several_headers_are_one_list() -> None:
    """A proxy may add a field of its own after the one that the client sent."""
    assert str(client_address("10.0.0.1", ("1.1.1.1", CLIENT), PROXIES)) == CLIENT
    assert str(client_address("10.0.0.1", ("for=1.1.1.1", f"for={CLIENT}"), RFC7239)) == CLIENT


@given(st.text(), st.sampled_from([PROXIES, RFC7239]))
def test_whatever_a_header_holds_there_is_an_address(header: str, proxies: Proxies) -> None:
    """A proxy that is broken costs no request."""
    assert client_address("10.0.0.1", (header,), proxies) is not None


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        (CLIENT, CLIENT),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (f"::ffff:{CLIENT}", CLIENT),
        ("", "unknown"),
        (None, "unknown"),
        ("/run/tell.sock", "unknown"),
    ],
)
def test_a_limit_counts_the_address_or_the_ipv6_network(peer: str | None, counted: str) -> None:
    """Of IPv6 everyone has 2^64 addresses."""
    assert partition(client_address(peer, (), PROXIES)) == counted


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "proxy", "10.0.0.1/8"])
def test_what_is_no_network_is_named(text: str) -> None:
    """The message says how to write one."""
    with pytest.raises(ValueError, match="write 10"):
        read_networks([text])
