"""What a carrier will refuse in an address, found before anything is bought, with the fix. Pure.

Sources, read in November 2026: UPS developer documentation (a phone of the recipient); FedEx Ship API (lines of no more
than 35 characters, a street number); USPS Publication 28 (ZIP and ZIP+4); the Universal Postal Union's addressing pages
(postal codes of each country); carriers' terms (couriers hand over in person, so a post office box is not served).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from carriers.address import Address

Code = Literal[
    "phone_missing", "street_missing", "street_number_missing", "po_box_refused", "name_missing", "city_missing",
    "postal_code_missing", "postal_code_wrong", "province_missing", "line_too_long",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in which field of an address, for this carrier. `form` shows how a postal code has to look."""

    code: Code
    field: str
    carrier: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Manners:
    """What one carrier insists on. `line` is the most characters of a street's line, 0 without a limit."""

    phone: bool = False
    phone_abroad: bool = False
    street_number: bool = False
    po_box: bool = True
    line: int = 0


_MANNERS: tuple[tuple[str, Manners], ...] = (
    ("ups", Manners(phone=True, po_box=False, line=35)),
    ("fedex", Manners(phone=True, street_number=True, po_box=False, line=35)),
    ("dhl", Manners(phone=True, po_box=False, line=45)),
    ("dpd", Manners(phone_abroad=True, street_number=True, po_box=False, line=35)),
    ("gls", Manners(phone_abroad=True, po_box=False, line=35)),
    ("tnt", Manners(phone=True, po_box=False, line=30)),
    ("aramex", Manners(phone=True, po_box=False)),
    ("purolator", Manners(phone=True, po_box=False)),
    ("usps", Manners(phone_abroad=True, line=46)),
)
_NOT_COURIERS = ("mailinnovation", "smartpost", "surepost", "ecommerce", "groundeconomy")
"""Services that a post hands over: they reach post office boxes."""

# Per country: what a postal code is without blanks and dashes, how its parts are put together, and an example.
_FORMS: dict[str, tuple[str, str, str]] = {
    "US": (r"(\d{5})(\d{4})?", r"\1-\2", "12345 or 12345-6789"),
    "CA": (r"([ABCEGHJ-NPRSTVXY]\d[A-Z])(\d[A-Z]\d)", r"\1 \2", "A1A 1A1"),
    "GB": (r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})", r"\1 \2", "SW1A 1AA"),
    "PL": (r"(\d{2})(\d{3})", r"\1-\2", "00-950"),
    "NL": (r"([1-9]\d{3})([A-Z]{2})", r"\1 \2", "1234 AB"),
    "PT": (r"(\d{4})(\d{3})", r"\1-\2", "1000-205"),
    "SK": (r"(\d{3})(\d{2})", r"\1 \2", "811 01"),
    "CZ": (r"(\d{3})(\d{2})", r"\1 \2", "110 00"),
    "GR": (r"(\d{3})(\d{2})", r"\1 \2", "105 57"),
    "SE": (r"(\d{3})(\d{2})", r"\1 \2", "114 55"),
    "JP": (r"(\d{3})(\d{4})", r"\1-\2", "100-0001"),
    "BR": (r"(\d{5})(\d{3})", r"\1-\2", "01310-100"),
    "DE": (r"(\d{5})", r"\1", "10115"),
    "FR": (r"(\d{5})", r"\1", "75001"),
    "IT": (r"(\d{5})", r"\1", "00118"),
    "ES": (r"(\d{5})", r"\1", "28001"),
    "FI": (r"(\d{5})", r"\1", "00100"),
    "AT": (r"(\d{4})", r"\1", "1010"),
    "BE": (r"([1-9]\d{3})", r"\1", "1000"),
    "CH": (r"(\d{4})", r"\1", "8001"),
    "DK": (r"(\d{4})", r"\1", "1050"),
    "NO": (r"(\d{4})", r"\1", "0150"),
    "HU": (r"(\d{4})", r"\1", "1051"),
    "AU": (r"(\d{4})", r"\1", "2000"),
    "NZ": (r"(\d{4})", r"\1", "6011"),
    "AM": (r"(\d{4})", r"\1", "0010"),
    "IN": (r"([1-9]\d{5})", r"\1", "110001"),
    "MX": (r"(\d{5})", r"\1", "06000"),
}
_BEFORE_CODES = {"AT": "A", "BE": "B", "DE": "D", "ES": "E", "FI": "FIN", "FR": "F", "IT": "I", "NO": "N", "SE": "S"}
_NO_CODES = frozenset(
    "AE AG AW BJ BO BS BW BZ CI FJ GH HK IE JM KI ML MO MR NR PA QA RW SB SC SL SR TG TO UG VU YE ZW".split()  # noqa: SIM905 - read as a list.
)
_NUMBER = re.compile(r"\d")


def tidy(address: Address) -> Address:
    """The same place as carriers want it written: no blanks too many, the postal code in its country's form."""
    plain = replace(
        address,
        province=_plain(address.province),
        city=_plain(address.city),
        street1=_plain(address.street1),
        street2=_plain(address.street2),
        name=_plain(address.name),
        company=_plain(address.company),
        phone=_plain(address.phone),
        email=_plain(address.email),
    )
    return replace(plain, postal_code=_postal(plain.postal_code, address.country))


def faults(
    address: Address, carrier: str, *, origin_country: str = "", po_box: bool = False, service: str = ""
) -> tuple[Fault, ...]:
    """What this carrier will refuse in a tidied address; empty: nothing that is known.

    `carrier` and `service` are as its rates name them; `po_box` says that the street is a post office box.
    """
    manners = manners_of(carrier, service)
    found: list[Fault] = []
    if not (address.name or address.company):
        found.append(Fault("name_missing", "name", carrier))
    if not address.street1:
        found.append(Fault("street_missing", "street1", carrier))
    elif manners.street_number and not po_box and not _NUMBER.search(f"{address.street1} {address.street2}"):
        found.append(Fault("street_number_missing", "street1", carrier))
    if po_box and not manners.po_box:
        found.append(Fault("po_box_refused", "street1", carrier))
    if not address.city:
        found.append(Fault("city_missing", "city", carrier))
    found += _postal_faults(address, carrier)
    if address.country in {"US", "CA", "AU"} and not address.province:
        found.append(Fault("province_missing", "province", carrier))
    abroad = bool(origin_country) and origin_country != address.country
    if not _is_phone(address.phone) and (manners.phone or (manners.phone_abroad and abroad)):
        found.append(Fault("phone_missing", "phone", carrier))
    for field in ("street1", "street2"):
        if manners.line and len(getattr(address, field)) > manners.line:
            found.append(Fault("line_too_long", field, carrier, str(manners.line)))
    return tuple(found)


def manners_of(carrier: str, service: str = "") -> Manners:
    """What is known of a carrier; one that nobody knows insists on nothing."""
    plain = re.sub(r"[\W_]+", "", f"{carrier}{service}".casefold())
    if any(name in plain for name in _NOT_COURIERS):
        return Manners(phone_abroad=True, line=35)
    name = re.sub(r"[\W_]+", "", carrier.casefold())
    return next((manners for start, manners in _MANNERS if name.startswith(start)), Manners())


def serves_po_boxes(carrier: str, service: str = "") -> bool:
    """Whether a post office box is reached; of an unknown carrier that is believed."""
    return manners_of(carrier, service).po_box


def _plain(text: str) -> str:
    return " ".join(text.split())


def _postal(code: str, country: str) -> str:
    """In its country's form where it has one and fits it, else as it was typed without outer blanks."""
    plain = re.sub(r"[\s\-–]+", "", code).upper()  # noqa: RUF001 - the dash that phones write.
    form = _FORMS.get(country)
    if form is None:
        return " ".join(code.split()).upper()
    for prefix in (country, _BEFORE_CODES.get(country, country)):
        if plain.startswith(prefix) and re.fullmatch(form[0], plain.removeprefix(prefix)):
            plain = plain.removeprefix(prefix)
    found = re.fullmatch(form[0], plain)
    return " ".join(code.split()).upper() if found is None else found.expand(form[1]).strip("- ")


def _postal_faults(address: Address, carrier: str) -> list[Fault]:
    form = _FORMS.get(address.country)
    if not address.postal_code:
        return [] if address.country in _NO_CODES else [Fault("postal_code_missing", "postal_code", carrier)]
    plain = re.sub(r"[\s-]+", "", address.postal_code).upper()
    if form is not None and re.fullmatch(form[0], plain) is None:
        return [Fault("postal_code_wrong", "postal_code", carrier, form[2])]
    return []


def _is_phone(phone: str) -> bool:
    return len(re.sub(r"\D", "", phone)) >= 7  # The shortest numbers with an area code.
