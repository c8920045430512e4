"""A carrier's file as a person has it: its text from bytes, and which of its columns is likely to hold which field."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping

from connector.labels.invoice_csv import FIELDS, InvoiceError

MOST_BYTES = 512 * 1024
"""Of a file's text: as much as the desk takes of any form."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")

_KNOWN: Mapping[str, tuple[str, ...]] = {
    "tracking": (
        "tracking",
        "trackingnumber",
        "trackingno",
        "trackingcode",
        "trackingid",
        "expressorgroundtrackingid",
        "shipmenttrackingnumber",
        "packagetrackingnumber",
        "awb",
        "awbnumber",
        "airwaybill",
        "airwaybillnumber",
        "waybill",
        "waybillnumber",
        "consignmentnumber",
        "barcode",
        "parcelnumber",
        "parcelno",
        "shipmentnumber",
        "shipmentno",
        "sendungsnummer",
        "paketnummer",
        "paketscheinnummer",
        "packageid",
    ),
    "amount": (
        "amount",
        "netamount",
        "netchargeamount",
        "netcharge",
        "adjustmentamount",
        "totalamount",
        "totalcharge",
        "totalcharges",
        "billedamount",
        "chargeamount",
        "invoicedamount",
        "totalexcltax",
        "totalamountexclvat",
        "netto",
        "nettobetrag",
        "betrag",
        "net",
        "charge",
        "price",
        "cost",
        "total",
    ),
    "currency": ("currency", "currencycode", "invoicecurrencycode", "billingcurrency", "cur", "waehrung", "währung"),
    "invoice": (
        "invoice",
        "invoicenumber",
        "invoiceno",
        "invoiceid",
        "invoicenr",
        "rechnungsnummer",
        "rechnungsnr",
        "rechnung",
    ),
    "reason": (
        "reason",
        "chargedescription",
        "adjustmentreason",
        "description",
        "chargetype",
        "surcharge",
        "bezeichnung",
        "beschreibung",
    ),
    "reference": ("reference", "parcelid"),
    "handle": ("handle", "shipmentid", "easypostshipmentid"),
    "weight": ("weight", "actualweight", "actualweightamount", "enteredweight", "packageweight", "gewicht"),
    "billed_weight": (
        "billedweight",
        "billingweight",
        "billableweight",
        "chargeableweight",
        "ratedweight",
        "ratedweightamount",
    ),
    "length": ("length", "dimlength", "packagelength", "laenge", "länge"),
    "width": ("width", "dimwidth", "packagewidth", "breite"),
    "height": ("height", "dimheight", "packageheight", "hoehe", "höhe"),
    "size": ("size", "dims", "dimensions", "packagedimensions", "entereddimensions", "masse", "maße"),
    "zone": ("zone", "zonecode", "shippingzone", "tarifzone"),
    "residential": ("residential", "residentialindicator", "isresidential", "addresstype"),
}
"""How carriers call our fields, without spaces and signs, the likeliest first."""


def text_of(content: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, else Windows-1252. Raises InvoiceError for what is no text."""
    if content.startswith(_WORKBOOKS):
        raise InvoiceError("This is a workbook: save it as CSV in your spreadsheet program.", detail="file")
    try:
        text = content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    if "\x00" in text or content.startswith(b"%PDF"):
        raise InvoiceError("The file is no text, so it is no CSV file.", detail="file")
    return text


def propose(header: Iterable[str], kept: Mapping[str, str]) -> dict[str, str]:
    """For each field the column that is likely to hold it, or nothing: as it was kept, else by its name."""
    there = list(header)
    by_name = {_plain(name): name for name in reversed(there)}
    found: dict[str, str] = {}
    for field in FIELDS:
        if field in kept and (kept[field] in there or not kept[field]):
            found[field] = kept[field]
            continue
        taken = set(found.values())
        likely = (by_name.get(name, "") for name in _KNOWN[field])
        found[field] = next((column for column in likely if column and column not in taken), "")
    return found


def hold(text: str) -> str:
    """The text as a form can carry it from page to page."""
    return base64.urlsafe_b64encode(zlib.compress(text.encode("utf-8", "replace"))).decode()


def release(held: str) -> str:
    """The text that `hold` was given. Raises InvoiceError for what it did not make, or is too much."""
    try:
        unpacked = zlib.decompressobj()
        raw = unpacked.decompress(base64.b64decode(held, b"-_", validate=True), MOST_BYTES * 3)
        whole = unpacked.eof
        text = raw.decode()
    except (binascii.Error, zlib.error, ValueError) as error:
        raise InvoiceError("Choose the file again.", detail="file") from error
    if not whole:
        raise InvoiceError("Choose the file again.", detail="file")
    return text


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
