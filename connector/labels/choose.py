"""Which of a created shipment's rates is bought: the one that was promised, else what the shop chose for that. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from carriers.deliverable import serves_po_boxes
from carriers.money import Money, exponent
from carriers.rate import Rate
from connector.labels.points import is_to_a_point
from connector.labels.seen import day_seen, price_seen
from connector.quotes.services import service_code
from connector.words.reason import Reason

_TOLERANCE_PERCENT = Decimal(5)
_TOLERANCE_MAJOR = Decimal("0.50")
Otherwise = Literal["substitute", "hold", "refuse"]


@dataclass(frozen=True, slots=True)
class Terms:
    """How far a purchase may be from its promise, and what happens where it would be further.

    `latest` is the last day that the buyer was promised, None without a promise; `arrives` tells a rate's day, None
    where it cannot be told. `po_box` says that the parcel goes to a post office box, `point` names the
    carrier to one of whose pick-up points it goes; `refuses` tells why a rate's carrier will refuse the address, None
    where nothing speaks against it. Whether a signature is taken is the created
    shipment's matter, so all its rates keep it. `amount` is in the quote's currency; `home` is the shop's. A person who
    saw that a label is dearer or later than promised, and has it bought all the same, lets pass what was seen:
    `let_pass`, as `connector.labels.seen` keeps it.
    """

    percent: Decimal = _TOLERANCE_PERCENT
    amount: Decimal = _TOLERANCE_MAJOR
    otherwise: Otherwise = "hold"
    latest: date | None = None
    arrives: Callable[[Rate], date | None] = lambda _rate: None
    po_box: bool = False
    point: str = ""
    refuses: Callable[[Rate], Reason | None] = lambda _rate: None
    home: str = ""
    let_pass: Sequence[str] = ()

    def tolerance(self, quoted: Money) -> Money:
        """How much dearer a label may be than its quote: the larger of both, at least one minor unit."""
        fixed = Money(int(self.amount.scaleb(exponent(quoted.currency))), quoted.currency)
        return max(quoted.percent(self.percent), fixed, Money(1, quoted.currency), key=lambda money: money.minor)


USUAL = Terms()


@dataclass(frozen=True, slots=True)
class Chosen:
    """Buy this rate; `why` says what it was chosen for."""

    rate: Rate
    why: Reason


def choose(
    rates: Sequence[Rate], bought_as: Mapping[str, Any] | None, *, by_person: bool, terms: Terms = USUAL
) -> Chosen | Reason:
    """The rate whose account, carrier and service equal the offer's, at no more than the tolerated price and in time.

    An offer that is bought as the cheapest takes any service; the merchant's own limit stands for the tolerance.
    An order whose quote is lost is priced again: the offer's service, at about what the buyer paid. Where not even the
    offer is known a person's click buys the cheapest; Waybill by itself buys nothing. Beyond price and day only what a
    person saw is let pass. What cannot be bought as promised is the shop's choice: a substitute, or the reason.
    """
    if not rates:
        return Reason("no_rates_at_purchase")
    if bought_as is not None and bought_as.get("how") == "offer":
        again = [rate for rate in rates if service_code(rate.carrier, rate.service) == bought_as["service"]]
        if again:
            return _priced_again(again, Money(bought_as["minor"], bought_as["currency"]), terms)
        bought_as = None  # The store's own rate, or a service that is gone: as good as no quote.
    if bought_as is None:
        if not by_person:
            return Reason("quote_lost")
        # Figures of two currencies say nothing of which is less.
        one = terms.home if any(rate.price.currency == terms.home for rate in rates) else rates[0].price.currency
        cheapest = min((rate for rate in rates if rate.price.currency == one), key=lambda rate: rate.price.minor)
        return Chosen(cheapest, Reason("cheapest_without_quote", {"service": cheapest.service}))
    outcome = _as_promised(rates, bought_as, terms)
    if isinstance(outcome, Reason) and terms.otherwise == "substitute" and bought_as["minor"]:
        return _substitute(rates, bought_as, terms, outcome) or outcome
    return outcome


def _as_promised(rates: Sequence[Rate], bought_as: Mapping[str, Any], terms: Terms) -> Chosen | Reason:
    found = _wanted(rates, bought_as)
    if not found:
        return Reason("service_gone", {"carrier": bought_as["carrier"], "service": bought_as["service"]})
    quoted = Money(bought_as["minor"], bought_as["currency"])
    comparable = [rate for rate in found if rate.price.currency == quoted.currency]
    if not comparable:
        return Reason("currency_changed", {"quoted": quoted, "now": found[0].price})
    cheapest = bought_as.get("how") == "cheapest"
    in_time = [rate for rate in comparable if _is_in_time(rate, terms)]
    if cheapest and terms.po_box:  # Where none reaches it, the address is what a person hears of.
        in_time = [rate for rate in in_time if serves_po_boxes(rate.carrier, rate.service)] or in_time
    rate = min(in_time or comparable, key=lambda each: each.price.minor)
    if not in_time and not _was_seen(rate, terms):
        return _too_late(rate, terms)
    most = _most(quoted, bought_as, terms)
    if rate.price > most and not _is_let_pass(rate.price, terms):
        if not quoted.minor:  # Goods that were added after the quote.
            return Reason("beyond_quote", {"now": rate.price})
        return Reason("dearer_than_quoted", {"quoted": quoted, "now": rate.price})
    if not in_time or rate.price > most:
        return Chosen(rate, _let_pass(rate, quoted, terms))
    named = {"carrier": rate.carrier, "service": rate.service}
    return Chosen(rate, Reason("cheapest_as_set", named) if cheapest else Reason("as_promised", named))


def _was_seen(rate: Rate, terms: Terms) -> bool:
    """Whether a person let pass a day as late as this one."""
    day, seen = terms.arrives(rate), day_seen(terms.let_pass)
    return day is not None and seen is not None and day <= seen


def _is_let_pass(price: Money, terms: Terms) -> bool:
    """Whether a person let pass a price like this one, give or take the tolerance."""
    seen = price_seen(terms.let_pass, price.currency)
    return seen is not None and price <= seen + terms.tolerance(seen)


def _let_pass(rate: Rate, quoted: Money, terms: Terms) -> Reason:
    """What a person had bought beyond the promise."""
    day = terms.arrives(rate)
    said: dict[str, str | int | bool | Money] = {"carrier": rate.carrier, "service": rate.service}
    said |= {"quoted": quoted, "now": rate.price, "difference": rate.price - quoted}
    said["promised"] = "?" if terms.latest is None else terms.latest.isoformat()
    said["arrives"] = "?" if day is None else day.isoformat()
    return Reason("beyond_promise", said)


def _substitute(rates: Sequence[Rate], bought_as: Mapping[str, Any], terms: Terms, instead_of: Reason) -> Chosen | None:
    """The cheapest rate that arrives no later than promised and goes where the parcel goes, whatever it costs more.

    Without a promised day nothing says what "no later" is, so nothing stands in. The reason says what it costs more.
    """
    quoted = Money(bought_as["minor"], bought_as["currency"])
    if terms.latest is None:
        return None
    fit = [
        rate
        for rate in rates
        if rate.price.currency == quoted.currency
        and (day := terms.arrives(rate)) is not None
        and day <= terms.latest
        and (not terms.po_box or serves_po_boxes(rate.carrier, rate.service))
        and terms.refuses(rate) is None
        and _ends_there(rate, terms)
    ]
    if not fit:
        return None
    rate = min(fit, key=lambda each: each.price.minor)
    limit = bought_as.get("limit_minor")
    if limit is not None and rate.price.minor > limit:
        return None
    said: dict[str, str | int | bool | Money] = {
        "carrier": rate.carrier,
        "service": rate.service,
        "quoted": quoted,
        "now": rate.price,
        "difference": rate.price - quoted,
        "cause": instead_of.say(),
    }
    return Chosen(rate, Reason("substituted", said))


def _ends_there(rate: Rate, terms: Terms) -> bool:
    """At a point of the same network where the buyer chose one, else at the door."""
    if not terms.point:
        return not is_to_a_point(rate.service)
    return rate.carrier == terms.point and is_to_a_point(rate.service)


def _priced_again(rates: Sequence[Rate], paid: Money, terms: Terms) -> Chosen | Reason:
    """The service that the buyer chose, at today's price: little more than the buyer paid, or what a person saw."""
    rate = min(rates, key=lambda each: (each.price.currency != paid.currency, each.price.minor))
    dearer = rate.price.currency != paid.currency or rate.price > paid + terms.tolerance(paid)
    if dearer and not _is_let_pass(rate.price, terms):
        return Reason("quote_lost_dearer", {"paid": paid, "now": rate.price})
    return Chosen(rate, Reason("priced_again", {"carrier": rate.carrier, "service": rate.service, "paid": paid}))


def _wanted(rates: Sequence[Rate], bought_as: Mapping[str, Any]) -> list[Rate]:
    """The rates that the offer may be bought as; an account that is not named may be any."""
    if bought_as.get("how") == "cheapest":
        return list(rates)
    service = (bought_as["carrier"], bought_as["service"])
    account = bought_as["account"]
    return [rate for rate in rates if (rate.carrier, rate.service) == service and account in ("", rate.account)]


def _is_in_time(rate: Rate, terms: Terms) -> bool:
    """By the promised day as far as that is known: the promised service is kept where nobody tells its day."""
    day = terms.arrives(rate) if terms.latest is not None else None
    return day is None or terms.latest is None or day <= terms.latest


def _too_late(rate: Rate, terms: Terms) -> Reason:
    day = terms.arrives(rate)
    promised = "" if terms.latest is None else terms.latest.isoformat()
    said = {"carrier": rate.carrier, "service": rate.service, "promised": promised}
    return Reason("later_than_promised", {**said, "now": "" if day is None else day.isoformat()})


def _most(quoted: Money, bought_as: Mapping[str, Any], terms: Terms) -> Money:
    limit = bought_as.get("limit_minor")
    return quoted + terms.tolerance(quoted) if limit is None else Money(limit, quoted.currency)
