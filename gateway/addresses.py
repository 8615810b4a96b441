"""Whose request it is, by address: through the proxies that we trust and no further. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
ProxyHeader = Literal["x-forwarded-for", "forwarded"]

# What one household or one phone is given (RFC 6177 2, 3GPP): counting single addresses of IPv6
# would give each attacker 2^64 of them.
_IPV6_PREFIX = 64
# RFC 7239 6: node = nodename [ ":" node-port ]; an IPv6 nodename stands in brackets.
_NODE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?")
# RFC 7239 4: forwarded-pair = token "=" ( token / quoted-string ).
_PAIR = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^\s";,]+)\s*')
# A chain of more proxies than this is made up.
_MAX_HOPS = 32


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks of our own proxies, and the one header that they write.

    The other header is never looked at: a proxy passes on what it does not write itself, so a
    client could say anything in it.
    """

    networks: tuple[Network, ...] = ()
    header: ProxyHeader = "x-forwarded-for"

    def trusts(self, address: Address) -> bool:
        """Whether *address* is one of our proxies."""
        return any(
            address.version == network.version and address in network for network in self.networks
        )


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks of `10.0.0.0/8` or `10.0.0.1` texts; raises ValueError that names the text."""
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            raise ValueError(
                f"{text[:64]!r} is no address and no network; write 10.0.0.1 or 10.0.0.0/8"
            ) from error
    return tuple(networks)


def client_address(peer: str | None, said: Sequence[str], proxies: Proxies) -> Address | None:
    """Address of the client behind our proxies; None where not even the peer's is known.

    *peer* is the other end of the connection, *said* every value of the proxies' header, in order:
    they are one list, in one field or several (RFC 9110 5.3). It is read from the right, where the
    nearest proxy wrote, as far as each hop is one of ours; what stands further left is a stranger's
    word. A hop that names no address (RFC 7239 6.2 and 6.3) ends the walk: its proxy then stands
    for all who come through it.
    """
    address = _address(peer or "")
    if address is None or not proxies.trusts(address):
        return address
    for hop in reversed(_hops(", ".join(said), proxies.header)):
        further = _node(hop)
        if further is None:
            return address
        address = further
        if not proxies.trusts(address):
            return address
    return address


def partition(address: Address | None) -> str:
    """What a limit by address counts: an IPv4 address, or the /64 of an IPv6 one."""
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, _IPV6_PREFIX), strict=False))
    return str(address)


def _hops(value: str, header: ProxyHeader) -> list[str]:
    """The hops from left to right, each as its text."""
    if header == "x-forwarded-for":
        # No standard; each proxy appends the address that it saw, after a comma.
        hops = [part.strip() for part in value.split(",")] if value else []
    else:
        hops = [_for(element) for element in _elements(value)]
    return hops[-_MAX_HOPS:]


def _elements(value: str) -> list[str]:
    """Elements of a Forwarded header: split at commas outside quotes (RFC 7239 4)."""
    elements, current, quoted, escaped = [], "", False, False
    for character in value:
        if character == "," and not quoted:
            elements.append(current)
            current = ""
            continue
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        current += character
    return [*elements, current] if value else []


def _for(element: str) -> str:
    """The `for` of one element; "" where there is none, or the element cannot be read."""
    found = ""
    for part in _split_pairs(element):
        match = _PAIR.fullmatch(part)
        if match is None:
            return ""
        name, value = match.groups()
        # RFC 7239 4: parameter names are case-insensitive, and each occurs once in an element.
        if name.lower() == "for":
            if found:
                return ""
            found = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
    return found


def _split_pairs(element: str) -> list[str]:
    return re.findall(r'(?:[^;"]|"(?:[^"\\]|\\.)*")+', element)


def _node(text: str) -> Address | None:
    """Address of one hop, without its port."""
    address = _address(text)
    if address is not None:
        return address
    match = _NODE.fullmatch(text)
    return _address(match[1] or match[2]) if match else None


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket for both families shows IPv4 peers so (RFC 4291 2.5.5.2).
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
