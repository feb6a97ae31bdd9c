"""The org's own certificate authority and the certificate that it gives the org; both live in the org's home."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from include.sandbox.org.tls.hosts import LOCAL_ADDRESSES, LOCAL_NAMES, SALESFORCE_NAMES

_AUTHORITY_LIVES = timedelta(days=3650)
_CERTIFICATE_LIVES = timedelta(days=397)  # clients refuse certificates that live longer
_RENEWED_BEFORE = timedelta(days=30)
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Name the files of a TLS server, and of the authority that its clients have to trust."""

    authority: Path
    chain: Path
    key: Path


def open_certificate(home: Path) -> Certificate:
    """Return the certificate kept in a folder; make the authority the first time, a certificate when it is due."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = Certificate(authority=home / "ca.pem", chain=home / "server.pem", key=home / "server.key")
    authority_key = home / "ca.key"
    if not (files.authority.exists() and authority_key.exists()):
        _make_authority(files.authority, authority_key)
        files.chain.unlink(missing_ok=True)
    if not _is_good(files):
        _make_certificate(files, authority_key)
    return files


def _make_authority(file: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Headwater sandbox org, of this machine alone")])
    # Whoever gets hold of the key can stand in for these hosts and for no others.
    permitted: list[x509.GeneralName] = [x509.DNSName(each) for each in (*LOCAL_NAMES, "salesforce.com")]
    permitted += [x509.IPAddress(ipaddress.ip_network(each)) for each in LOCAL_ADDRESSES]
    certificate = (
        _unsigned(name, name, key.public_key(), key.public_key(), _AUTHORITY_LIVES)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_key(key_file, key)
    _write(file, certificate.public_bytes(serialization.Encoding.PEM))


def _make_certificate(files: Certificate, authority_key: Path) -> None:
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    signer = serialization.load_pem_private_key(authority_key.read_bytes(), None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{authority_key} is no key of ours; remove the folder {authority_key.parent}")
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(each) for each in (*LOCAL_NAMES, *SALESFORCE_NAMES)]
    names += [x509.IPAddress(ipaddress.ip_address(each)) for each in LOCAL_ADDRESSES]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        _unsigned(subject, authority.subject, key.public_key(), signer.public_key(), _CERTIFICATE_LIVES)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(signer, hashes.SHA256())
    )
    _write_key(files.key, key)
    pem = serialization.Encoding.PEM
    _write(files.chain, certificate.public_bytes(pem) + authority.public_bytes(pem))


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    lives: timedelta,
) -> x509.CertificateBuilder:
    now = datetime.now(tz=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # the clocks of containers differ
        .not_valid_after(now + lives)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in allowed for name in _USAGES})


def _is_good(files: Certificate) -> bool:
    """Say whether a certificate is there, of this authority, names all hosts, and lives on for a while."""
    if not (files.chain.exists() and files.key.exists()):
        return False
    certificate, *issuers = x509.load_pem_x509_certificates(files.chain.read_bytes())
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        issuers == [x509.load_pem_x509_certificate(files.authority.read_bytes())]
        and set(named.get_values_for_type(x509.DNSName)) == {*LOCAL_NAMES, *SALESFORCE_NAMES}
        and certificate.not_valid_after_utc - _RENEWED_BEFORE > datetime.now(tz=UTC)
    )


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    _write(file, key.private_bytes(encoding, form, serialization.NoEncryption()))


def _write(file: Path, content: bytes) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
        output.write(content)
    draft.replace(file)
