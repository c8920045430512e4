"""The window that a buyer was promised, kept with each parcel: as quoted, and from a payment that came later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from carriers.address import Address
from connector.directory import ShopEntry
from connector.orders.quote_of import Linked
from connector.orders.tables import orders
from connector.promises.window import Spot
from connector.quotes.answers import KeptRate
from connector.quotes.facts import settings_of
from connector.quotes.kept_windows import KeptWindow, Promised, keep_promise
from connector.quotes.windows import dates_of, spot_of
from connector.store import FulfilmentGroup, Order


def keep_window(
    connection: Connection,
    shop: ShopEntry,
    order: Order,
    order_id: str,
    group: FulfilmentGroup,
    linked: Linked | None,
    parcel_id: str,
    now: datetime,
) -> None:
    """Keep what was promised of a new parcel; without a quote, only the way that it goes."""
    paid_at = connection.execute(orders.select(shop.id, orders.c.paid_at).where(orders.c.id == order_id)).scalar()
    location = next((each for each in shop.locations if each.external_id == group.location_id), None)
    default = shop.quoting.default_origin()
    address = location.address if location else (default.address if default else None)
    origin = _spot(address) if linked is None else spot_of(linked.quote.facts.origin)
    keep_promise(
        connection,
        shop.id,
        parcel_id,
        order_id,
        origin,
        _spot(group.destination),
        promised(order, linked, paid_at),
        now,
    )


def promised(order: Order, linked: Linked | None, paid_at: datetime | None) -> Promised:
    """What the quote's offer says, and what the same inputs say from a payment that came later."""
    if linked is None:
        return Promised(None, None)
    offer = linked.offer
    quoted = None
    if offer.earliest is not None and offer.latest is not None:
        days = offer.earliest.date(), offer.latest.date()
        quoted = KeptWindow(*days, offer.ships_on, offer.dates_by or "carrier", offer.coverage)
    if paid_at is None or paid_at <= order.placed_at or quoted is None:
        return Promised(quoted, quoted)
    return Promised(quoted, _again(linked, paid_at) or quoted, paid_at)


def _again(linked: Linked, at: datetime) -> KeptWindow | None:
    """The window from another moment: the same cart, settings, calendars and carriers' answers."""
    rate = _rate(linked)
    bought_as = linked.offer.bought_as
    if rate is None or bought_as is None:
        return None
    facts = linked.quote.facts.but(rate_cache_s=0)  # Nothing lies between the payment and us.
    window = dates_of(linked.quote.cart, facts, settings_of(facts), at).window(bought_as.account_id, rate)
    if window is None:
        return None
    return KeptWindow(window.earliest, window.latest, window.ships_on, window.by, window.coverage)


def _rate(linked: Linked) -> KeptRate | None:
    """The carrier's answer that the offer was made from; None for what no carrier answered."""
    wanted = linked.offer.bought_as
    if wanted is None:
        return None
    return next(
        (
            rate
            for answer in linked.quote.answers
            if answer.account_id == wanted.account_id
            for rate in answer.rates
            if (rate.account, rate.carrier, rate.service) == (wanted.account, wanted.carrier, wanted.service)
        ),
        None,
    )


def _spot(address: Address | None) -> Spot:
    return Spot() if address is None else Spot(address.country, address.province, address.postal_code)
