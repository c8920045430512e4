"""A parcel's row as the shipment that a carrier is asked to create."""

from __future__ import annotations

from typing import Any, Literal, cast

from sqlalchemy import Connection

from carriers.address import Address
from carriers.carrier import Capabilities
from carriers.customs import Customs
from carriers.deliverable import tidy
from carriers.measure import Size, Weight
from carriers.money import Money
from carriers.parcel import Parcel, Shipment, Signature
from connector.catalogue import keep
from connector.catalogue.borders import Spot, meets_customs
from connector.catalogue.customs import DeclaredLine, declaration, why_missing
from connector.directory import ShopEntry
from connector.storage import persons
from connector.storage.secrets import Keyring
from connector.words.reason import Reason

_ADDRESS_FIELDS = (
    "country",
    "postal_code",
    "province",
    "city",
    "street1",
    "street2",
    "name",
    "company",
    "phone",
    "email",
)


def person_fields(address: Address) -> dict[str, str]:
    """An address as it is kept among the persons."""
    return {name: getattr(address, name) for name in _ADDRESS_FIELDS}


def address_of(fields: dict[str, str]) -> Address:
    """The address from a person's fields."""
    known: dict[str, Any] = {name: fields.get(name, "") for name in _ADDRESS_FIELDS}
    return Address(**known)


def shipment_for(
    connection: Connection, keyring: Keyring, shop: ShopEntry, capabilities: Capabilities, parcel: Any
) -> Shipment | Reason:
    """The shipment, or the reason why it cannot be made."""
    fields = persons.get(connection, keyring, shop.id, parcel.person_id) if parcel.person_id else None
    if fields is None:
        return Reason("person_forgotten")
    origin = next((each.address for each in shop.locations if each.id == parcel.location_id), None)
    if origin is None:
        return Reason("origin_missing")
    destination = tidy(address_of(fields))
    customs = customs_of(connection, shop, parcel, origin, destination)
    if isinstance(customs, Reason):
        return customs
    preferred = ("pdf", "png", "zpl")
    label_format = next((each for each in preferred if each in capabilities.label_formats), "pdf")
    return Shipment(
        origin=origin,
        destination=destination,
        customs=customs,
        parcel=Parcel(Weight(parcel.grams), Size(*parcel.size_mm) if parcel.size_mm else None, parcel.packaging),
        reference=parcel.id,
        currency=parcel.currency,
        signature=_signature(capabilities, parcel),
        label_format=cast("Literal['pdf', 'png', 'zpl']", label_format),
    )


def _signature(capabilities: Capabilities, parcel: Any) -> Signature:
    """What the merchant's rules ask for at the door, where the carrier takes it."""
    wanted = (parcel.marks or {}).get("signature", "") if capabilities.signature else ""
    return "adult" if wanted == "adult" else "any" if wanted else "none"


def customs_of(
    connection: Connection, shop: ShopEntry, parcel: Any, origin: Address, destination: Address
) -> Customs | Reason | None:
    """What customs is told of a parcel; None where no customs is met on the way; else the reason what is missing."""
    here, there = spot_of(origin), spot_of(destination)
    if not meets_customs(here, there):
        return None
    kept = parcel.declared or {"lines": {}}
    skus = {f"sku:{sku}" for _, sku in (parcel.goods or {}).values()}
    known = keep.products(connection, shop.id, skus | {each["key"] for each in kept["lines"].values()})
    lines = []
    for line, units in parcel.contents:
        name, sku = (parcel.goods or {}).get(line, ("", ""))
        said = kept["lines"].get(line, {})
        lines.append(
            DeclaredLine(
                name=name,
                sku=sku,
                units=units,
                price=Money(said["minor"], said["currency"]) if said else None,
                product=known.get(said.get("key", "")) or known.get(f"sku:{sku}"),
                grams=said.get("grams"),
                hs_code=said.get("hs_code", ""),
                origin_country=said.get("origin_country", ""),
            )
        )
    found = declaration(
        lines,
        shop.settings.customs,
        here,
        there,
        gross_g=parcel.grams,
        incoterm=kept.get("incoterm", ""),
        reference=parcel.order_external_id.rsplit("/", 1)[-1],
    )
    return why_missing(found) if isinstance(found, list) else found


def spot_of(address: Address) -> Spot:
    """An address as borders see it."""
    return Spot(address.country, address.province, address.postal_code)
