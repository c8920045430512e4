"""Have the carrier look an address up before money is spent on it; what it proposes is kept among the persons."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from carriers.address import Address
from carriers.errors import CarrierError, Misconfigured, Refused
from carriers.verification import Verified, Verifier, differing, verifier_of
from connector.directory import AccountEntry, ShopEntry
from connector.labels.shipment import person_fields
from connector.labels.tables import parcels
from connector.storage import persons
from connector.storage.secrets import Keyring
from connector.words.reason import Reason
from connector.work.port import TryLater

KIND = "ship_to_proposed"
UNDELIVERABLE, CORRECTED, UNVERIFIED = "address_undeliverable", "address_corrected", "address_unverified"
_MOST_TRIES = 3
_KEEP = timedelta(days=90)
PLACE = ("country", "postal_code", "province", "city", "street1", "street2")


def place_key(keyring: Keyring, fields: dict[str, str]) -> str:
    """What is the same for the same place, and tells nothing of it."""
    place = {name: fields[name] for name in PLACE if fields.get(name)}
    return keyring.keyed_hash(f"place {json.dumps(place, sort_keys=True)}".encode())


def asks(shop: ShopEntry, account: AccountEntry) -> tuple[AccountEntry, Verifier] | None:
    """Who looks addresses up: the account that the label is bought from, else the shop's first that does."""
    if shop.settings.buying.verify == "off":
        return None
    for each in (account, *shop.accounts.values()):
        found = verifier_of(each.connection)
        if found is not None:
            return each, found
    return None


def remembered(connection: Connection, keyring: Keyring, parcel: Any, address: Address) -> dict[str, Any] | None:
    """What was said of this very address, for this parcel or another one to the same person; None if nobody asked."""
    key = place_key(keyring, person_fields(address))
    kept = parcel.verified or {}
    if kept.get("of") == key:
        return dict(kept)
    beside = parcels.select(parcel.shop_id, parcels.c.verified).where(
        parcels.c.person_id == parcel.person_id, parcels.c.verified.is_not(None)
    )
    for row in connection.execute(beside).all():
        if (row.verified or {}).get("of") == key:
            _write(connection, parcel, dict(row.verified))
            return dict(row.verified)
    return None


async def look_up(verifier: Verifier, address: Address, attempt: int) -> Verified | str:
    """The carrier's answer, or its words where it gave none: then the address is as if nobody had asked.

    Raises TryLater at the first tries of a purchase that can wait for a passing fault.
    """
    try:
        return await verifier.verify(address)
    except CarrierError as error:
        if attempt < _MOST_TRIES and not isinstance(error, Refused | Misconfigured):
            said = "The carrier could not look the address up."
            raise TryLater(said, detail=error.detail, retry_after_s=error.retry_after_s) from error
        return error.message


def keep(
    connection: Connection, keyring: Keyring, parcel: Any, address: Address, found: Verified | str, now: datetime
) -> dict[str, Any]:
    """Keep what was said; a proposal that leads elsewhere is kept sealed, and an earlier one goes."""
    before = parcel.verified or {}
    body: dict[str, Any] = {"of": place_key(keyring, person_fields(address))}
    if "instead_of" in before:
        body["instead_of"] = before["instead_of"]
    if isinstance(found, str):
        body |= {"state": "unasked", "said": found[:200]}
    else:
        fields = () if found.corrected is None else differing(address, found.corrected)
        state = "corrected" if fields else "good"
        body |= {"state": state if found.deliverable else "undeliverable", "fields": list(fields)}
        body["said"] = " ".join(found.messages)[:200]
        if fields and found.corrected is not None:
            proposed = person_fields(found.corrected)
            body["proposal"] = persons.put(connection, keyring, parcel.shop_id, KIND, proposed, now, now + _KEEP)
    if before.get("proposal"):
        persons.forget(connection, parcel.shop_id, before["proposal"])
    _write(connection, parcel, body)
    return body


def why_not(parcel: Any, kept: dict[str, Any], carrier: str) -> Reason | None:
    """Why a person must look at this address; None where it is good, nobody could say, or a person let it go."""
    released = parcel.released or ()
    if kept.get("state") == "undeliverable" and UNDELIVERABLE not in released:
        return Reason("address_undeliverable", {"carrier": carrier, "said": kept.get("said", "")})
    if kept.get("state") == "corrected" and CORRECTED not in released:
        return Reason("address_corrected", {"carrier": carrier, "fields": ", ".join(kept.get("fields", ()))})
    return None


def why_unverified(shop: ShopEntry, parcel: Any, kept: dict[str, Any]) -> Reason | None:
    """Why no rule may buy to this address: the shop wants it confirmed, and no carrier said anything of it."""
    if shop.settings.buying.verify != "required" or UNVERIFIED in (parcel.released or ()):
        return None
    return Reason("address_unverified") if kept.get("state", "unasked") == "unasked" else None


def _write(connection: Connection, parcel: Any, body: dict[str, Any]) -> None:
    connection.execute(parcels.update(parcel.shop_id).where(parcels.c.id == parcel.id).values(verified=body))
