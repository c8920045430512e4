"""What a purchase is held to: its promise, an address that carriers take, who sells it, whose money it may spend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from carriers.address import Address
from carriers.deliverable import Fault, faults, tidy
from carriers.money import Money
from carriers.parcel import Shipment
from carriers.rate import Rate
from connector.directory import AccountEntry, ShopEntry
from connector.labels.choose import Terms
from connector.labels.record import quoted as quoted_price
from connector.labels.shipment import address_of
from connector.labels.stock import short_of
from connector.promises.window import Goods, Promises, Service, Spot, Start, promises_of
from connector.quotes.kept_windows import promised_window
from connector.quotes.reduced import is_po_box
from connector.rules.exchange import ExchangeRate, exchange
from connector.storage import persons
from connector.storage.secrets import Keyring
from connector.words.reason import Reason

ADDRESS = "address_refused"


def terms_for(connection: Connection, keyring: Keyring, shop: ShopEntry, parcel: Any, now: datetime) -> Terms:
    """How far this label may be from its promise; a rate's day is told as the checkout tells it, from now on."""
    settings, home = shop.settings.buying, shop.record.currency
    fields = persons.get(connection, keyring, shop.id, parcel.person_id) if parcel.person_id else None
    to = Address("") if fields is None else address_of(fields)
    promised = promised_window(connection, shop.id, parcel.id)
    due = None if promised is None else promised.now or promised.quoted
    location = next((each for each in shop.locations if each.id == parcel.location_id), None)
    here = Address("") if location is None else location.address
    names = (parcel.location_id, "" if location is None else location.external_id)
    dates = promises_of(
        shop.settings.promises, shop.quoting.timezone, Spot(here.country, here.province, here.postal_code), names
    )
    return Terms(
        percent=settings.percent,
        amount=amount_in(settings.amount, home, _quoted_in(parcel) or home, shop.settings.exchange_rates),
        otherwise=settings.otherwise,
        latest=None if due is None else due.latest,
        arrives=_Arrives(dates, now, Spot(to.country, to.province, to.postal_code)),
        po_box=is_po_box(to),
        refuses=_Refuses(shop, parcel, tidy(to), here.country) if fields else lambda _rate: None,
        point=(parcel.pickup_point or {}).get("carrier", ""),
        home=home,
        let_pass=parcel.released or (),
    )


def amount_in(amount: Decimal, home: str, currency: str, rates: Sequence[ExchangeRate]) -> Decimal:
    """An amount of the shop's own currency in that of a quote; nothing where no rate of exchange is set."""
    if currency == home:
        return amount
    changed = exchange(Money.rounded(amount, home), currency, rates)
    return Decimal(0) if changed is None else changed.money.amount


def _quoted_in(parcel: Any) -> str:
    quoted = quoted_price(parcel)
    return "" if quoted is None else quoted.currency


class _Arrives:
    """Tells a rate's last day, for a parcel that is packed and goes with the carrier's next pick-up."""

    def __init__(self, dates: Promises, now: datetime, to: Spot) -> None:
        self._dates, self._to = dates, to
        # Who buys a label packs: today counts, also behind the hour until which orders are promised for today.
        day = dates.shop_days.from_day(now.astimezone(dates.zone).date())
        self._start = Start(day, None, now)

    def __call__(self, rate: Rate) -> date | None:
        service = Service(rate.carrier, rate.service, rate.transit_days, rate.transit_basis)
        found = self._dates.window(self._start, Goods(), service, self._to)
        return None if found is None else found.latest


def address_fault(shop: ShopEntry, parcel: Any, shipment: Shipment) -> Reason | None:
    """What the carrier will refuse in the tidied address, all of it, with the fix; None where it looks right.

    A person who saw it and lets it go, or clicks once more, passes: the carrier has the last word.
    """
    bought_as: Mapping[str, Any] = parcel.bought_as or {}
    if bought_as.get("how", "service") != "service":
        bought_as = {}  # No service is chosen yet: only what every carrier wants is looked for.
    refuses = _Refuses(shop, parcel, shipment.destination, shipment.origin.country)
    return refuses.service(bought_as.get("carrier", ""), bought_as.get("service", ""))


class _Refuses:
    """Tells why the carrier of a rate will refuse a tidied address."""

    def __init__(self, shop: ShopEntry, parcel: Any, to: Address, origin_country: str) -> None:
        self._off = not shop.settings.buying.checked_address or ADDRESS in (parcel.released or ())
        self._to, self._origin_country, self._po_box = to, origin_country, is_po_box(to)

    def __call__(self, rate: Rate) -> Reason | None:
        return self.service(rate.carrier, rate.service)

    def service(self, carrier: str, service: str) -> Reason | None:
        """The same, by the names of a rate; without them, what every carrier wants."""
        if self._off:
            return None
        found = faults(self._to, carrier, origin_country=self._origin_country, po_box=self._po_box, service=service)
        if not found:
            return None
        named = found[0].carrier or "The carrier"
        return Reason("address_refused", {"carrier": named, "faults": " ".join(_said(fault) for fault in found)})


def _said(fault: Fault) -> str:
    return Reason(f"address_{fault.code}", {"field": fault.field, "form": fault.form}).say()


def why_not_by_rule(
    connection: Connection, keyring: Keyring, shop: ShopEntry, parcel: Any, goods: Money | None
) -> Reason | None:
    """Why the merchant wants to look before this label is bought; None where Waybill may buy it by itself.

    `goods` is the order's value; an order whose value nobody tells is not bought under a limit.
    """
    settings, released = shop.settings.buying, parcel.released or ()
    if settings.max_value is not None and "over_value" not in released:
        limit = Money.parse(settings.max_value, settings.currency)
        if goods is None or goods.currency != limit.currency or goods > limit:
            return Reason("over_value", {"limit": limit, "value": "?" if goods is None else goods})
    if settings.countries and "country_by_hand" not in released:
        fields = persons.get(connection, keyring, shop.id, parcel.person_id) if parcel.person_id else None
        country = (fields or {}).get("country", "")
        if country not in settings.countries:
            return Reason("country_by_hand", {"country": country or "?"})
    if settings.in_stock and "not_in_stock" not in released:
        short = short_of(connection, shop.id, parcel)
        if short:
            return Reason("not_in_stock", {"products": ", ".join(short[:5])})
    return None


def why_not_signed(account: AccountEntry | None, parcel: Any) -> Reason | None:
    """A signature that a rule asks for and this carrier does not take: a person decides; None where all is well."""
    if account is None or account.connection.capabilities.signature or "signature" not in (parcel.marks or {}):
        return None
    if "signature_not_taken" in (parcel.released or ()):
        return None
    return Reason("signature_not_taken", {"carrier": (parcel.bought_as or {}).get("carrier") or account.kind.title})


def why_not_sold(account: AccountEntry | None, parcel: Any) -> Reason | None:
    """Nobody sells this label to us: a person buys it where the merchant usually does. None where the account does."""
    by_hand = (parcel.bought_as or {}).get("how") == "by_hand"  # The merchant buys these elsewhere, without an account.
    if not by_hand and account is None:
        return Reason("no_carriers")
    if not by_hand and account is not None and account.connection.capabilities.sells_labels:
        return None
    offer = parcel.bought_as or {"carrier": "" if account is None else account.kind.title, "service": ""}
    return Reason("by_hand", {"carrier": offer["carrier"], "service": offer["service"]})


def why_not_spent(shop: ShopEntry, account: AccountEntry, label: Any, *, clock_is_moved: bool) -> Reason | None:
    """Test and live are kept apart before every purchase: no money from a test shop, no sample for a real order.

    What the shipment's own answer says of itself counts; where it says nothing, what the account said at set-up.
    """
    test_mode = account.record.test_mode if label.test_mode is None else label.test_mode
    if shop.settings.mode == "test" and test_mode is False:
        return Reason("production_account_in_test")
    if shop.settings.mode == "live" and test_mode is True:
        return Reason("test_account_in_live")
    if shop.settings.mode == "live" and clock_is_moved:
        return Reason("moved_clock_in_live")
    return None
