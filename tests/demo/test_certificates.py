"""The certificates of `make demo LAN=1`: kept while they are valid, and no danger to a phone."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from demo.certificates import Certificates, ensure_certificates

NOW = datetime.now(UTC)
HOME = ipaddress.ip_address("192.168.1.5")
LOOPBACK = ipaddress.ip_address("127.0.0.1")


def contents(found: Certificates) -> tuple[bytes, bytes]:
    """The authority's certificate, and the server's key."""
    return found.authority.read_bytes(), found.key.read_bytes()


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Mode 0600, in a folder of mode 0700; nothing else is left there."""
    ensure_certificates(tmp_path / "lan", HOME, NOW)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "lan").iterdir()}
    assert modes == {
        "authority.key": 0o600,
        "authority.pem": 0o644,
        "server.key": 0o600,
        "server.pem": 0o644,
    }
    assert (tmp_path / "lan").stat().st_mode & 0o777 == 0o700


def test_valid_ones_are_used_again(tmp_path: Path) -> None:
    """A phone that trusts the authority once need not be asked at each demo."""
    first = contents(ensure_certificates(tmp_path, HOME, NOW))
    assert contents(ensure_certificates(tmp_path, HOME, NOW + timedelta(days=20))) == first


@pytest.mark.parametrize(
    ("address", "later"),
    [("10.0.0.7", timedelta()), ("192.168.1.5", timedelta(days=29, hours=1))],
)
def test_another_server_certificate_leaves_the_authority(
    tmp_path: Path, address: str, later: timedelta
) -> None:
    """A new address, or one that ends within a day: only the server's is made anew."""
    authority, key = contents(ensure_certificates(tmp_path, HOME, NOW))
    again = contents(ensure_certificates(tmp_path, ipaddress.ip_address(address), NOW + later))
    assert again[0] == authority
    assert again[1] != key


def test_an_old_authority_is_made_anew(tmp_path: Path) -> None:
    """And the server's certificate is then of the new one."""
    authority, _ = contents(ensure_certificates(tmp_path, HOME, NOW))
    found = ensure_certificates(tmp_path, HOME, NOW + timedelta(days=170))
    assert found.authority.read_bytes() != authority
    server, *_ = x509.load_pem_x509_certificates(found.chain.read_bytes())
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(found.authority.read_bytes()))


def test_a_public_address_gets_an_authority_for_it_alone(tmp_path: Path) -> None:
    """What is outside the private networks has to be named in the constraints."""
    found = ensure_certificates(tmp_path, ipaddress.ip_address("198.51.100.4"), NOW)
    authority = x509.load_pem_x509_certificate(found.authority.read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    permitted = constraints.value.permitted_subtrees or ()
    assert x509.IPAddress(ipaddress.ip_network("198.51.100.4/32")) in permitted


async def test_a_client_that_trusts_it_talks_to_the_address(tmp_path: Path) -> None:
    """The whole of TLS, as a phone does it."""
    found = ensure_certificates(tmp_path, LOOPBACK, NOW)
    assert await _shake_hands(found, found.chain, found.key, "127.0.0.1")


async def test_who_finds_the_key_cannot_be_another_site(tmp_path: Path) -> None:
    """A certificate for a name or a public address, signed by the authority, is refused."""
    found = ensure_certificates(tmp_path, LOOPBACK, NOW)
    names: list[tuple[str, x509.GeneralName]] = [
        ("tell.example", x509.DNSName("tell.example")),
        ("198.51.100.4", x509.IPAddress(ipaddress.ip_address("198.51.100.4"))),
    ]
    for name, alternative in names:
        chain, key = _forge(tmp_path, alternative)
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            await _shake_hands(found, chain, key, name)


async def _shake_hands(found: Certificates, chain: Path, key: Path, name: str) -> bool:
    """Connect to a server that shows *chain*, as a client that trusts the authority alone."""
    here = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    here.load_cert_chain(chain, key)
    async with contextlib.AsyncExitStack() as stack:
        server = await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=here
        )
        stack.callback(server.close)
        port = server.sockets[0].getsockname()[1]
        phone = ssl.create_default_context(cafile=found.authority)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=phone, server_hostname=name
        )
        await reader.read()
        writer.close()
        await writer.wait_closed()
    return True


def _forge(folder: Path, alternative: x509.GeneralName) -> tuple[Path, Path]:
    """Sign a certificate for another name with the authority's own key."""
    authority = x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes())
    signer = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "not Tell")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    chain, key_path = folder / "forged.pem", folder / "forged.key"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, key_path
