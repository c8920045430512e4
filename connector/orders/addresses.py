"""Where an order's parcels go: as the store says, and as a person decides where a carrier knows it better."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from carriers.address import Address
from carriers.deliverable import tidy
from connector.attention.board import settled
from connector.directory import ShopEntry
from connector.labels import late, record
from connector.labels.shipment import address_of, person_fields
from connector.labels.store_holds import tell_of_holds
from connector.labels.tables import parcels
from connector.labels.terms import ADDRESS
from connector.labels.verifying import CORRECTED, PLACE, UNDELIVERABLE, UNVERIFIED, place_key
from connector.orders.buying import go_on
from connector.orders.plan import STORES_HOLDS
from connector.orders.tables import orders
from connector.storage import audit, persons
from connector.storage.audit import Actor
from connector.storage.secrets import Keyring
from connector.store import FulfilmentGroup, Order
from connector.words.reason import Reason
from connector.work.port import Work
from webhooks.errors import WaybillError

_WAITING = ("planned", "held", "refused")
_ON_LABEL = ("country", "postal_code", "city", "street1", "street2", "name", "company")
KEEP_PERSON = timedelta(days=90)
ADDRESS_HOLDS = frozenset({ADDRESS, UNDELIVERABLE, CORRECTED, UNVERIFIED})
"""Holds that end by themselves when the store's address changes."""


class NothingToCorrect(WaybillError):
    """No parcel of the order waits whose address a carrier would correct."""


def keep_person(
    connection: Connection, keyring: Keyring, shop_id: str, order: Order, group: FulfilmentGroup, now: datetime
) -> str | None:
    """Keep the recipient of a group among the persons; None where the store tells of none."""
    if group.destination is None:
        return None
    fields = person_fields(group.destination)
    fields["email"] = fields["email"] or order.email
    fields["phone"] = fields["phone"] or order.phone
    return persons.put(connection, keyring, shop_id, "ship_to", fields, now, now + KEEP_PERSON)


def readdress(
    connection: Connection,
    keyring: Keyring,
    work: Work,
    shop: ShopEntry,
    group: FulfilmentGroup,
    known: Sequence[Any],
    now: datetime,
) -> None:
    """Before a label is bought, it goes where the store says now; into another country only a person sends it.

    What was held for its address goes on by itself once that was corrected in the store.
    """
    if group.destination is None:
        return
    said = _said(group.destination)
    before: dict[str, dict[str, str]] = {}
    moved: dict[str, str] = {}
    labelled = {row.person_id for row in known if row.state not in _WAITING}
    for row in known:
        if row.state not in _WAITING or not row.person_id:
            continue
        if row.person_id not in before:  # Parcels of one group share their recipient.
            before[row.person_id] = persons.get(connection, keyring, shop.id, row.person_id) or {}
        fields = before[row.person_id]
        news = _news(keyring, row, said)
        changed = _kept(fields, news) | news
        if changed == fields:
            continue
        if row.person_id in labelled and row.person_id not in moved:  # A label was printed with the address of before.
            moved[row.person_id] = persons.put(connection, keyring, shop.id, "ship_to", changed, now, now + KEEP_PERSON)
        person_id = moved.get(row.person_id, row.person_id)
        persons.replace(connection, keyring, shop.id, person_id, changed)
        _go_elsewhere(
            connection, work, shop, row, person_id, now, abroad=changed.get("country") != fields.get("country")
        )
        if _compared(changed) != _compared(fields):
            late.goes_elsewhere(connection, shop.id, row.id)


def _go_elsewhere(
    connection: Connection, work: Work, shop: ShopEntry, row: Any, person_id: str, now: datetime, *, abroad: bool
) -> None:
    """A parcel without a label has another address: what was said of the one of before does not count any more."""
    kept = sorted(set(row.released or ()) - ADDRESS_HOLDS)  # What was let pass was the address of before.
    if (row.verified or {}).get("proposal"):
        persons.forget(connection, shop.id, row.verified["proposal"])
    anew = parcels.update(shop.id).where(parcels.c.id == row.id)
    connection.execute(anew.values(released=kept, verified=None, person_id=person_id))
    goes_on = row.state == "planned" or (row.state == "held" and (row.why or {}).get("code") in STORES_HOLDS)
    if abroad and goes_on and shop.settings.buys_when_paid:
        record.hold(connection, shop.id, row.id, Reason("order_edited"), now)
    elif not abroad and row.state == "held" and (row.why or {}).get("code") in ADDRESS_HOLDS:
        _go_on(connection, work, shop, row, now)


def astray(
    connection: Connection, keyring: Keyring, shop: ShopEntry, group: FulfilmentGroup, labelled: Sequence[Any]
) -> set[str]:
    """Those of these parcels whose label goes elsewhere than the store says now.

    How an address is written (blanks, capitals, a postal code's form), telephone and e-mail do not count, nor what a
    store does not tell. A place that a person took from the carrier's correction is as good as the store's.
    """
    if group.destination is None or not group.destination.street1.strip():
        return set()
    said = _said(group.destination)
    before: dict[str, dict[str, str] | None] = {}
    found = set()
    for row in labelled:
        if row.person_id and row.person_id not in before:
            before[row.person_id] = persons.get(connection, keyring, shop.id, row.person_id)
        fields = before.get(row.person_id)
        if fields and _compared(fields) != _compared(fields | _news(keyring, row, said)):
            found.add(str(row.id))
    return found


def goes_abroad(
    connection: Connection, keyring: Keyring, shop_id: str, group: FulfilmentGroup, before: Sequence[Any]
) -> bool:
    """Whether a group goes to another country than these parcels went to."""
    if group.destination is None:
        return False
    kept = [persons.get(connection, keyring, shop_id, row.person_id) for row in before if row.person_id]
    return any(fields is not None and fields.get("country") != group.destination.country for fields in kept)


def _said(destination: Address) -> dict[str, str]:
    """What the store tells of a recipient. A second line that was taken off is told by its silence."""
    fields = person_fields(destination)
    return {name: value for name, value in fields.items() if value or (name == "street2" and fields["street1"])}


def _kept(fields: dict[str, str], news: dict[str, str]) -> dict[str, str]:
    """What of the fields of before counts where the store is silent: nothing of the place in another country."""
    abroad = "street1" in news and news.get("country", "") not in ("", fields.get("country"))
    return fields | dict.fromkeys(PLACE, "") if abroad else fields


def _compared(fields: dict[str, str]) -> tuple[str, ...]:
    """What of an address is on a label, however it is written. Stores name provinces in several ways."""
    address = tidy(address_of(fields))
    return tuple(getattr(address, name).casefold() for name in _ON_LABEL)


def proposal(connection: Connection, keyring: Keyring, shop_id: str, order_id: str) -> Address | None:
    """How a carrier would write the address of the order's parcels that wait; None where it proposes nothing."""
    for row in _with_proposal(connection, shop_id, order_id):
        fields = persons.get(connection, keyring, shop_id, row.verified["proposal"])
        if fields is not None:
            return address_of(fields)
    return None


def use_correction(
    connection: Connection, keyring: Keyring, work: Work, shop: ShopEntry, order_id: str, actor: Actor, now: datetime
) -> list[str]:
    """Send the order's parcels that wait where the carrier's correction says; returns their ids.

    They go on where the shop buys by itself. The store's own address stays as it is; when it is changed there later,
    that is what counts. Raises NothingToCorrect.
    """
    connection.execute(orders.select(shop.id, orders.c.id).where(orders.c.id == order_id).with_for_update())
    labelled = parcels.select(shop.id, parcels.c.person_id).where(
        parcels.c.order_id == order_id, parcels.c.state.not_in((*_WAITING, "cancelled"))
    )
    stay = {each.person_id for each in connection.execute(labelled).all()}  # What a label was printed with stays.
    used: dict[str, tuple[str, dict[str, str], str]] = {}
    corrected = []
    for row in _with_proposal(connection, shop.id, order_id, lock=True):
        if row.person_id not in used:
            typed = persons.get(connection, keyring, shop.id, row.person_id)
            fields = persons.get(connection, keyring, shop.id, row.verified["proposal"])
            if fields is None or typed is None:
                continue
            person_id = row.person_id
            if person_id in stay:
                person_id = persons.put(connection, keyring, shop.id, "ship_to", fields, now, now + KEEP_PERSON)
            else:
                persons.replace(connection, keyring, shop.id, person_id, fields)
            used[row.person_id] = (person_id, fields, place_key(keyring, typed))
        person_id, fields, instead_of = used[row.person_id]
        persons.forget(connection, shop.id, row.verified["proposal"])
        verified = {"of": place_key(keyring, fields), "state": "good", "said": "", "instead_of": instead_of}
        mine = parcels.update(shop.id).where(parcels.c.id == row.id)
        connection.execute(mine.values(verified=verified, person_id=person_id))
        late.goes_elsewhere(connection, shop.id, row.id)
        corrected.append(str(row.id))
        if row.state == "held" and (row.why or {}).get("code") in ADDRESS_HOLDS:
            _go_on(connection, work, shop, row, now)
    if not corrected:
        raise NothingToCorrect("No carrier proposes another address for this order.", detail=order_id)
    tell_of_holds(connection, work, shop, order_id, now)
    detail = {"parcels": len(corrected)}
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="order.address_corrected",
        subject=order_id,
        shop_id=shop.id,
        detail=detail,
    )
    return corrected


def _with_proposal(connection: Connection, shop_id: str, order_id: str, *, lock: bool = False) -> list[Any]:
    chosen = parcels.select(shop_id).where(parcels.c.order_id == order_id, parcels.c.state.in_(_WAITING))
    chosen = chosen.order_by(parcels.c.number)
    found = connection.execute(chosen.with_for_update() if lock else chosen).all()
    return [row for row in found if row.person_id and (row.verified or {}).get("proposal")]


def _news(keyring: Keyring, row: Any, said: dict[str, str]) -> dict[str, str]:
    """What of the store's address counts: not the place that a person replaced by the carrier's correction."""
    replaced = (row.verified or {}).get("instead_of")
    if replaced is None or replaced != place_key(keyring, said):
        return said
    return {name: value for name, value in said.items() if name not in PLACE}


def _go_on(connection: Connection, work: Work, shop: ShopEntry, row: Any, now: datetime) -> None:
    """The address is another one: buy, where the shop buys by itself."""
    settled(connection, shop.id, row.id, now, *ADDRESS_HOLDS)
    go_on(connection, work, shop, row.id, now)
