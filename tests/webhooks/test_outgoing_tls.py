"""TLS is always verified, against the name in the URL and not the address that was connected to."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.webhooks.servers import always, reply, serve
from webhooks.errors import NotSent
from webhooks.outgoing import OutgoingClient

pytestmark = pytest.mark.anyio


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for carrier.example with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "carrier.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("carrier.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "carrier.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


async def _call(certificate: Path, host: str, ca_file: Path | None) -> tuple[int, int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with serve(always(reply()), context) as server:
        client = OutgoingClient(allow_private=True, ca_file=ca_file, lookup=lambda _h, _p: ["127.0.0.1"])
        try:
            answer = await client.request("GET", f"https://{host}:{server.port}/", deadline_s=5)
        except NotSent as error:
            assert error.detail == "SSLCertVerificationError"  # noqa: PT017  The count is the second half.
            return 0, len(server.requests)
        finally:
            await client.aclose()
        return answer.status, len(server.requests)


async def test_the_server_name_stays_the_host_of_the_url(certificate: Path) -> None:
    assert await _call(certificate, "carrier.example", certificate) == (200, 1)


async def test_a_certificate_for_another_name_is_refused_before_anything_leaves(certificate: Path) -> None:
    assert await _call(certificate, "other.example", certificate) == (0, 0)


async def test_an_unknown_authority_is_refused_before_anything_leaves(certificate: Path) -> None:
    assert await _call(certificate, "carrier.example", None) == (0, 0)
