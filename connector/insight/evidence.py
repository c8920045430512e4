"""Prove that a packet for a dispute is as it was written: its values and its file are signed (Ed25519, RFC 8032).

The PDF carries its values as the attached file `packet.json`: {"values", "public_key", "signature"}, where the
signature is over the canonical JSON of the values (sorted keys, no spaces, UTF-8). Behind the PDF's end stands one
comment line with a signature over every byte before it. Keys and signatures are written in URL-safe base 64. The key
is made from the newest of WAYBILL_KEYS, so that it changes with it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import logging
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from connector.insight.dispute_sheet import Packet
from connector.storage.secrets import Keyring
from webhooks.errors import WaybillError

ATTACHED = "packet.json"
_LINE = b"\n%waybill-signature "

State = Literal["unchanged", "values", "changed"]


class NoEvidence(WaybillError):
    """The file is no packet that Waybill signed."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Of a file: unchanged whole; only its attached values are (it was written again, as by a portal); or changed."""

    state: State
    public_key: str


def attached(told: Packet, keyring: Keyring) -> bytes:
    """The file `packet.json`: what the packet says, signed."""
    parts = [
        {
            "title": part.title,
            "head": part.head,
            "rows": part.rows,
            "note": part.note,
            "picture_sha256": hashlib.sha256(part.picture).hexdigest() if part.picture else None,
        }
        for part in told.parts
    ]
    values = {"title": told.title, "lead": told.lead, "ask": told.ask, "parts": parts}
    signature = keyring.sign(_canonical(values))
    return _canonical({"values": values, "public_key": text_of(keyring.public_key), "signature": text_of(signature)})


def sealed(pdf: bytes, keyring: Keyring) -> bytes:
    """The PDF with the line that signs it."""
    return pdf + _LINE + f"{text_of(keyring.public_key)} {text_of(keyring.sign(pdf))}\n".encode()


def prove(content: bytes) -> Proof:
    """Whether a packet, or the `packet.json` out of one, is unchanged, and whose. Raises NoEvidence."""
    if content.lstrip().startswith(b"{"):
        return _values(content)
    pdf, found, line = content.rpartition(_LINE)
    if found:
        key, _, signature = line.decode("ascii", "replace").strip().partition(" ")
        if line.endswith(b"\n") and line.count(b"\n") == 1 and _signed(pdf, key, signature):
            return Proof("unchanged", key)
    values = _values(_attachment(content))
    return Proof("changed" if values.state == "changed" else "values", values.public_key)


def text_of(key: bytes) -> str:
    """A key or signature as it is written."""
    return base64.urlsafe_b64encode(key).decode()


def _values(content: bytes) -> Proof:
    try:
        told = json.loads(content)
        values, key, signature = told["values"], told["public_key"], told["signature"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoEvidence("This file holds no signed values.") from error
    return Proof("unchanged" if _signed(_canonical(values), str(key), str(signature)) else "changed", str(key)[:80])


def _signed(data: bytes, key: str, signature: str) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key))
        public.verify(base64.urlsafe_b64decode(signature), data)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _canonical(values: Any) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _attachment(content: bytes) -> bytes:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # It tells of a bad file what we tell ourselves.
    try:
        found = PdfReader(io.BytesIO(content)).attachments.get(ATTACHED)
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise NoEvidence("This file cannot be read as a PDF.") from error
    if not found:
        raise NoEvidence("This file holds no signed values.")
    return bytes(found[0])
