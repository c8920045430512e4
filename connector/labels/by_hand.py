"""A tracking number that a person types: the parcel left with a label that nobody sold to us.

It is kept as a label (its account is BY_HAND) under the same index as those that are bought, so that a parcel has one
of either kind. The store is told by the same push. Nothing is asked of a carrier: all that is known is the hand-over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import Connection

from carriers.money import Money, MoneyError
from connector.attention.board import settled
from connector.labels import record
from connector.labels.amounts import book
from connector.labels.tables import labels
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import insert_new
from connector.storage.ids import new_id
from connector.tracking.holding import want
from connector.tracking.record import Followed, begin, correct_number, withdraw
from connector.tracking.tables import trackings
from connector.words.reason import Reason
from connector.work.port import Work
from webhooks.errors import WaybillError

BY_HAND = "by_hand"
"""The account of labels that were not bought through Waybill."""

_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{2,79}")
_UNDER_WAY = frozenset({"created", "intent", "sent", "unknown"})


class NotTyped(WaybillError):
    """What was typed is no carrier, number, address or price; `detail` names the field."""


class NotByHand(WaybillError):
    """The parcel cannot be shipped by hand, or was not."""


class Moved(WaybillError):
    """Somebody else changed it after it was shown."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person types of a parcel that left: the price is what it cost, where that is known."""

    carrier: str
    number: str
    url: str = ""
    price: Money | None = None


@dataclass(frozen=True, slots=True)
class Shipped:
    """The label that stands for the typed number. `new` is False where the same number was there before."""

    label_id: str
    parcel_id: str
    new: bool


def read_typed(carrier: str, number: str, url: str, price: str, currency: str) -> Typed:
    """What was typed, checked: spaces within the number go, a comma may stand for the decimal point.

    Raises NotTyped, naming the field: carrier, number, url or price.
    """
    name = " ".join(carrier.split())
    if not name or len(name) > 60 or not name.isprintable():
        raise NotTyped("Name the carrier, in at most 60 characters.", detail="carrier")
    code = "".join(number.split())
    if not _NUMBER.fullmatch(code):
        raise NotTyped(
            "A tracking number has 3 to 80 letters and digits, perhaps with . / + - or _ in between.", detail="number"
        )
    return Typed(name, code, _url(url.strip()), _price(price.strip(), currency))


def is_by_hand(label: Any) -> bool:
    """Whether a label's row stands for a number that a person typed."""
    return bool(label.account_id == BY_HAND)


def ship(
    connection: Connection,
    work: Work,
    shop_id: str,
    parcel_id: str,
    typed: Typed,
    actor: Actor,
    now: datetime,
    *,
    notify_buyer: bool,
) -> Shipped:
    """Note that a parcel left by hand, and have the store told once. The same number again changes nothing.

    Raises NotByHand where the parcel has a label, or is not wanted any more.
    """
    record.lock_parcel(connection, shop_id, parcel_id)
    parcel, label = record.parcel_and_label(connection, shop_id, parcel_id)
    if parcel is None or parcel.state == "cancelled":
        raise NotByHand("This parcel is not wanted any more.", detail=parcel_id)
    if label is not None:
        if is_by_hand(label) and label.tracking_code == typed.number:
            return Shipped(label.id, parcel_id, new=False)
        raise NotByHand(_has_label(label), detail=parcel_id)
    _check_free(connection, parcel, typed.number)
    label_id = _keep(connection, parcel, typed, actor, now)
    record.set_parcel(connection, shop_id, parcel_id, "bought", now)
    settled(connection, shop_id, parcel_id, now, but=record.BESIDE)
    _book(connection, parcel, label_id, typed.price, f"{label_id}:0", now)
    followed = Followed(
        shop_id=shop_id,
        label_id=label_id,
        parcel_id=parcel_id,
        order_id=parcel.order_id,
        order_external_id=parcel.order_external_id,
        group_id=parcel.group_id,
        lines=tuple((line, units) for line, units in parcel.contents),
        store_location_id=parcel.store_location_id,
        account_id=BY_HAND,
        carrier=typed.carrier,
        tracking_code=typed.number,
        tracker="",
        url=typed.url,
        notify_buyer=notify_buyer,
    )
    want(connection, work, shop_id, parcel.group_id, None, now)  # It left, so that nothing holds it any more.
    begin(connection, work, followed, fulfil_now=True, now=now)
    handed_over = trackings.update(shop_id).where(trackings.c.label_id == label_id)
    connection.execute(handed_over.values(handed_over_at=now))
    _audit(connection, "label.by_hand", shop_id, label_id, actor, now, typed)
    return Shipped(label_id, parcel_id, new=True)


def correct(
    connection: Connection,
    work: Work,
    shop_id: str,
    label_id: str,
    typed: Typed,
    actor: Actor,
    now: datetime,
    *,
    version: int | None = None,
) -> bool:
    """Put another carrier, number, address or price in the place of what was typed; False if nothing differs.

    The store's tracking follows; what it refused before is tried again. `version` is the label's as it was shown.
    Raises NotByHand, or Moved where somebody was faster.
    """
    label, parcel = _mine(connection, shop_id, label_id, version)
    before = _typed(label)
    _check_free(connection, parcel, typed.number)
    told_again = correct_number(connection, work, shop_id, label_id, typed.carrier, typed.number, typed.url, now)
    if before == typed:
        return told_again
    change = labels.update(shop_id).where(labels.c.id == label_id)
    connection.execute(
        change.values(
            carrier=typed.carrier,
            tracking_code=typed.number,
            tracking_url=typed.url,
            version=label.version + 1,
            **_priced(typed.price, parcel.currency),
        )
    )
    if before.price != typed.price:
        _unbook(connection, parcel, label, before.price, now)
        _book(connection, parcel, label_id, typed.price, f"{label_id}:{label.version + 1}", now)
    _audit(connection, "label.by_hand_corrected", shop_id, label_id, actor, now, typed, was=before.number)
    return True


def take_back(
    connection: Connection,
    work: Work,
    shop_id: str,
    label_id: str,
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    version: int | None = None,
) -> str:
    """The parcel did not leave after all: the store takes the number back, and a label can be bought or typed anew.

    Returns the parcel's id. Raises NotByHand, or Moved where somebody was faster.
    """
    label, parcel = _mine(connection, shop_id, label_id, version)
    change = labels.update(shop_id).where(labels.c.id == label_id)
    connection.execute(change.values(state="voided", void_reason=reason[:300], version=label.version + 1))
    why = Reason("number_taken_back", {"number": label.tracking_code, "who": actor.name})
    record.set_parcel(connection, shop_id, label.parcel_id, "voided", now, why)
    _unbook(connection, parcel, label, _typed(label).price, now)
    settled(connection, shop_id, label_id, now)
    settled(connection, shop_id, label.parcel_id, now)
    withdraw(connection, work, shop_id, label_id)
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="label.by_hand_taken_back",
        subject=label_id,
        shop_id=shop_id,
        detail={"number": label.tracking_code, "reason": reason[:300]},
    )
    return str(label.parcel_id)


def _mine(connection: Connection, shop_id: str, label_id: str, version: int | None) -> tuple[Any, Any]:
    """The live label of a typed number, and its parcel, which is locked."""
    label = record.label_of(connection, shop_id, label_id)
    parcel = None
    if label is not None:
        record.lock_parcel(connection, shop_id, label.parcel_id)
        label = record.label_of(connection, shop_id, label_id)
        parcel = record.parcel_of(connection, shop_id, label.parcel_id) if label is not None else None
    if label is None or parcel is None or not is_by_hand(label):
        raise NotByHand("This label was not typed in by hand.", detail=label_id)
    if label.state != "bought":
        raise Moved("This number was taken back already.", detail=label_id)
    if version is not None and label.version != version:
        raise Moved("Somebody changed this number meanwhile; look at it again.", detail=label_id)
    return label, parcel


def _has_label(label: Any) -> str:
    if label.state in _UNDER_WAY:
        return "The label of this parcel is being bought just now; see first what comes of it."
    if is_by_hand(label):
        return f"This parcel went by hand already, as {label.tracking_code}: correct that number instead."
    return f"This parcel has a label already, {label.tracking_code}: void that one first."


def _check_free(connection: Connection, parcel: Any, number: str) -> None:
    """Stores tell the parcels of an order apart by their numbers."""
    taken = trackings.select(parcel.shop_id, trackings.c.label_id).where(
        trackings.c.order_id == parcel.order_id,
        trackings.c.parcel_id != parcel.id,
        trackings.c.tracking_code == number,
        trackings.c.fulfil_state.not_in(("withdrawn", "cancelled")),
    )
    if connection.execute(taken).first() is not None:
        raise NotByHand("Another parcel of this order has this number already.", detail=number)


def _keep(connection: Connection, parcel: Any, typed: Typed, actor: Actor, now: datetime) -> str:
    label_id = new_id("lab", now)
    new = insert_new(
        connection,
        labels.insert(
            parcel.shop_id,
            id=label_id,
            parcel_id=parcel.id,
            account_id=BY_HAND,
            carrier=typed.carrier,
            state="bought",
            handle="",
            rates=[],
            actor_kind=actor.kind,
            actor_name=actor.name[:80],
            why=Reason("typed_by_hand", {"carrier": typed.carrier, "number": typed.number}).to_json(),
            created_at=now,
            settled_at=now,
            tracking_code=typed.number,
            tracking_url=typed.url,
            **_priced(typed.price, parcel.currency),
        ),
    )
    if not new:
        raise NotByHand("The label of this parcel is being bought just now; see first what comes of it.")
    return label_id


def _priced(price: Money | None, currency: str) -> dict[str, Any]:
    """The columns of a price; one that is not known is nought in the intent, and nothing in what was booked."""
    return {
        "minor": 0 if price is None else price.minor,
        "currency": currency if price is None else price.currency,
        "booked_minor": None if price is None else price.minor,
        "booked_currency": None if price is None else price.currency,
    }


def _typed(label: Any) -> Typed:
    price = None if label.booked_minor is None else Money(label.booked_minor, label.booked_currency)
    return Typed(label.carrier, label.tracking_code, label.tracking_url, price)


def _book(
    connection: Connection,
    parcel: Any,
    label_id: str,
    price: Money | None,
    cause: str,
    now: datetime,
    kind: Literal["by_hand", "by_hand_back"] = "by_hand",
) -> None:
    if price is not None and price.minor:
        book(
            connection,
            parcel.shop_id,
            kind,
            price,
            order_id=parcel.order_id,
            cause=cause,
            now=now,
            parcel_id=parcel.id,
            label_id=label_id,
        )


def _unbook(connection: Connection, parcel: Any, label: Any, price: Money | None, now: datetime) -> None:
    _book(connection, parcel, label.id, price, f"{label.id}:{label.version}", now, "by_hand_back")


def _audit(
    connection: Connection,
    action: str,
    shop_id: str,
    label_id: str,
    actor: Actor,
    now: datetime,
    typed: Typed,
    was: str = "",
) -> None:
    price = None if typed.price is None else str(typed.price)
    detail = {"carrier": typed.carrier, "number": typed.number, "price": price} | ({"was": was} if was else {})
    audit.record(connection, now=now, actor=actor, action=action, subject=label_id, shop_id=shop_id, detail=detail)


def _url(text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    except ValueError:
        good = False
    if not good or len(text) > 500 or not text.isascii() or any(each <= " " or each in "<>\"'\\`" for each in text):
        raise NotTyped("An address begins with https:// and has at most 500 characters.", detail="url")
    return text


def _price(text: str, currency: str) -> Money | None:
    if not text:
        return None
    if "." not in text and text.count(",") == 1:
        text = text.replace(",", ".")
    try:
        price = Money.parse(text, currency)
    except MoneyError as error:
        raise NotTyped(f"A price in {currency} is a figure such as 7.50.", detail="price") from error
    if price.minor < 0:
        raise NotTyped("A price is not below nought.", detail="price")
    return price
