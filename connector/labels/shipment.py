"""A parcel's row as the shipment that a carrier is asked to create."""

from __future__ import annotations

from typing import Any, Literal, cast

from sqlalchemy import Connection

from carriers.address import Address
from carriers.carrier import Capabilities
from carriers.deliverable import tidy
from carriers.measure import Size, Weight
from carriers.parcel import Parcel, Shipment, Signature
from connector.directory import ShopEntry
from connector.labels.declaring import customs_of
from connector.labels.tables import parcels
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


def goes_elsewhere(connection: Connection, keyring: Keyring, parcel: Any, shipment: Shipment) -> bool:
    """Whether a parcel's address was changed since its shipment was made; the parcel is locked from then on."""
    mine = parcels.select(parcel.shop_id, parcels.c.person_id).where(parcels.c.id == parcel.id)
    person_id = connection.execute(mine.with_for_update()).scalar()
    fields = persons.get(connection, keyring, parcel.shop_id, person_id) if person_id else None
    return fields is not None and tidy(address_of(fields)) != shipment.destination


def _signature(capabilities: Capabilities, parcel: Any) -> Signature:
    """What the merchant's rules ask for at the door, where the carrier takes it."""
    wanted = (parcel.marks or {}).get("signature", "") if capabilities.signature else ""
    return "adult" if wanted == "adult" else "any" if wanted else "none"
