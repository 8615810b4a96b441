"""Certificates for `make demo LAN=1`: an authority of this machine's own, and one for its address.

A phone that trusts the authority for the demo must not be deceived by whoever finds its key later.
So it may vouch for private addresses alone (RFC 5280 4.2.1.10), and not for long.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_AUTHORITY_LIFE = timedelta(days=180)
# Phones refuse more than 398 days (CA/Browser Forum Baseline Requirements 6.3.2).
_SERVER_LIFE = timedelta(days=30)
# One that ends during the demo is made anew before it; a phone's clock may be behind.
_SPARE = timedelta(days=1)
# RFC 1918, RFC 3927, RFC 4193, RFC 4291 2.5.6, and loopback.
_PRIVATE = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8",
    "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip
# Where names are constrained too, only this one is allowed, and nobody can have it (RFC 2606 2).
_NO_NAME = "tell-demo.invalid"


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM: `chain` is the server's certificate and the authority's, `key` the server's."""

    authority: Path
    chain: Path
    key: Path

    def authority_der(self) -> bytes:
        """The authority's certificate as phones take it."""
        return _certificate(self.authority).public_bytes(serialization.Encoding.DER)

    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate, as phones show it."""
        return _certificate(self.authority).fingerprint(hashes.SHA256()).hex(":").upper()


def ensure_certificates(folder: Path, address: Address, now: datetime) -> Certificates:
    """Certificates for *address* in *folder*: those that are there while they are valid, else new.

    A new address or an old server's certificate leaves the authority, which phones trust already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    authority_key = folder / "authority.key"
    if not _authority_holds(found.authority, authority_key, address, now):
        _make_authority(found.authority, authority_key, address, now)
    if not _server_holds(found, address, now):
        _make_server(found, authority_key, address, now)
    return found


def _authority_holds(path: Path, key: Path, address: Address, now: datetime) -> bool:
    if not (path.exists() and key.exists()):
        return False
    certificate = _certificate(path)
    constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    allowed = any(
        address in subtree.value
        for subtree in constraints.permitted_subtrees or ()
        if isinstance(subtree, x509.IPAddress)
        and isinstance(subtree.value, (ipaddress.IPv4Network, ipaddress.IPv6Network))
    )
    return allowed and certificate.not_valid_after_utc > now + _SERVER_LIFE


def _server_holds(found: Certificates, address: Address, now: datetime) -> bool:
    if not (found.chain.exists() and found.key.exists()):
        return False
    certificate = _certificate(found.chain)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    try:
        certificate.verify_directly_issued_by(_certificate(found.authority))
    except (InvalidSignature, ValueError):
        return False
    ours = names.get_values_for_type(x509.IPAddress) == [address]
    return ours and certificate.not_valid_after_utc > now + _SPARE


def _make_authority(path: Path, key_path: Path, address: Address, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Tell demo authority")
    networks = [ipaddress.ip_network(network) for network in _PRIVATE]
    if not any(address in network for network in networks):
        networks.append(ipaddress.ip_network(address))
    permitted: list[x509.GeneralName] = [x509.IPAddress(network) for network in networks]
    constraints = x509.NameConstraints([*permitted, x509.DNSName(_NO_NAME)], None)
    certificate = (
        _builder(name, name, key.public_key(), now, _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(constraints, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(key_path, _key_pem(key), mode=0o600)
    _write(path, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _make_server(found: Certificates, authority_key: Path, address: Address, now: datetime) -> None:
    authority = _certificate(found.authority)
    signer = serialization.load_pem_private_key(authority_key.read_bytes(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    certificate = (
        # With blanks in it, so that nobody takes it for the name of a machine.
        _builder(_name("Tell demo server"), authority.subject, key.public_key(), now, _SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(address)]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(signer, hashes.SHA256())
    )
    _write(found.key, _key_pem(key), mode=0o600)
    chain: Sequence[x509.Certificate] = (certificate, authority)
    pem = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)
    _write(found.chain, pem, mode=0o644)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SPARE)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Put the file there whole, readable by nobody else from its first byte on."""
    new = path.with_suffix(f"{path.suffix}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:  # noqa: PTH123
        out.write(content)
    new.replace(path)
