"""Check and make the signatures of deliveries: one function per scheme, on raw bytes, in constant time."""

from __future__ import annotations

import base64
import binascii
import hmac
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_EASYPOST_PREFIX = b"hmac-sha256-hex="
_WHSEC = "whsec_"

Reason = Literal["signature_missing", "signature_wrong", "no_secret", "expired"]


@dataclass(frozen=True, slots=True)
class Valid:
    """The signature holds. `secret_index` tells which of the given secrets made it (0 is the newest)."""

    secret_index: int


@dataclass(frozen=True, slots=True)
class Invalid:
    """The signature does not hold, or there is nothing to check it with."""

    reason: Reason


Verdict = Valid | Invalid


def shopify_signature(raw: bytes, secret: str) -> str:
    """The value of `X-Shopify-Hmac-Sha256`: base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(_hmac(raw, _utf8(secret))).decode("ascii")


def check_shopify(raw: bytes, header: str | None, secrets: Sequence[str]) -> Verdict:
    """Check a Shopify delivery or rate call; several secrets while one is being rotated. Never raises.

    Source: shopify.dev, "Verify webhook deliveries", 2026-10.
    """
    return _check(header, [shopify_signature(raw, secret).encode() for secret in secrets if secret])


PROXY_WITHIN_S = 90
"""How old a signed address of an app proxy may be, and how far ahead of our clock."""


def shopify_proxy_signature(query: Sequence[tuple[str, str]], secret: str) -> str:
    """The value of `signature` in an app proxy's query: hex of HMAC-SHA256 over the other pairs.

    Values of one name are joined by commas; the pairs `name=value` are sorted and joined by nothing.
    """
    named: dict[str, list[str]] = {}
    for name, value in query:
        if name != "signature":
            named.setdefault(name, []).append(value)
    signed = "".join(sorted(f"{name}={','.join(values)}" for name, values in named.items()))
    return _hmac(_utf8(signed), _utf8(secret)).hex()


def check_shopify_proxy(query: Sequence[tuple[str, str]], secrets: Sequence[str], now: int) -> Verdict:
    """Check the query of a call through Shopify's app proxy; `now` in Unix seconds. Never raises.

    Only the query is signed, the body is not. Source: shopify.dev, "Authenticate app proxies", 2026-10.
    """
    given = [value for name, value in query if name == "signature"]
    signature = given[0] if len(given) == 1 else ""
    verdict = _check(signature, [shopify_proxy_signature(query, secret).encode() for secret in secrets if secret])
    if isinstance(verdict, Invalid):
        return verdict
    at = [value for name, value in query if name == "timestamp"]
    if len(at) != 1 or not (at[0].isascii() and at[0].isdigit() and len(at[0]) <= 12):
        return Invalid("expired")
    return verdict if abs(now - int(at[0])) <= PROXY_WITHIN_S else Invalid("expired")


def easypost_signature(raw: bytes, secret: str) -> str:
    """The value of `X-Hmac-Signature` (v1): the secret is NFKD-normalised, as EasyPost does it."""
    digest = _hmac(raw, _utf8(unicodedata.normalize("NFKD", secret)))
    return (_EASYPOST_PREFIX + digest.hex().encode()).decode("ascii")


def check_easypost(raw: bytes, header: str | None, secrets: Sequence[str]) -> Verdict:
    """Check an EasyPost delivery by its v1 signature. Never raises.

    Source: EasyPost's support article "Webhook HMAC Validation" and its client libraries, 2025-08.
    """
    return _check(header, [easypost_signature(raw, secret).encode() for secret in secrets if secret])


def sandbox_signature(raw: bytes, secret: str) -> str:
    """The signature of our own sandboxes: `sha256=` and the hex of HMAC-SHA256 over the raw body."""
    return "sha256=" + _hmac(raw, _utf8(secret)).hex()


def check_sandbox(raw: bytes, header: str | None, secrets: Sequence[str]) -> Verdict:
    """Check a delivery of the sandbox store or the sandbox carrier. Never raises."""
    return _check(header, [sandbox_signature(raw, secret).encode() for secret in secrets if secret])


def standard_key(secret: str) -> bytes | None:
    """The key in a Standard Webhooks secret (`whsec_` and 24 to 64 bytes in base 64); None if it is no such secret."""
    if not secret.startswith(_WHSEC):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(_WHSEC), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if 24 <= len(key) <= 64 else None


def standard_signature(raw: bytes, message_id: str, timestamp: int, key: bytes) -> str:
    """The value of `webhook-signature` over id, Unix time and body.

    Source: Standard Webhooks specification, 1.0.
    """
    signed = f"{message_id}.{timestamp}.".encode() + raw
    return "v1," + base64.b64encode(_hmac(signed, key)).decode("ascii")


def _check(header: str | None, expected: Sequence[bytes]) -> Verdict:
    if not header or not header.strip():
        return Invalid("signature_missing")
    if not expected:
        return Invalid("no_secret")
    # Comparing str would raise for a header that is not ASCII.
    given = _utf8(header.strip())
    found: int | None = None
    for index, candidate in enumerate(expected):
        if hmac.compare_digest(given, candidate) and found is None:
            found = index
    return Invalid("signature_wrong") if found is None else Valid(found)


def _hmac(raw: bytes, key: bytes) -> bytes:
    return hmac.digest(key, raw, "sha256")


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
