"""Which of a created shipment's rates is bought: the one that was promised, or none. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from carriers.money import Money, exponent
from carriers.rate import Rate
from connector.quotes.services import service_code
from connector.words.reason import Reason

_TOLERANCE_PERCENT = Decimal(5)
_TOLERANCE_MAJOR = Decimal("0.50")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Buy this rate; `why` says what it was chosen for."""

    rate: Rate
    why: Reason


def choose(rates: Sequence[Rate], bought_as: Mapping[str, Any] | None, *, by_person: bool) -> Chosen | Reason:
    """The rate whose account, carrier and service equal the offer's, at no more than the tolerated price.

    An offer that is bought as the cheapest takes any service; the merchant's own limit stands for the tolerance.
    An order whose quote is lost is priced again: the offer's service, at about what the buyer paid. Where not even the
    offer is known a person's click buys the cheapest; Waybill by itself buys nothing. The tolerance is the larger of
    5 % and half a major unit, at least one minor unit; a person may go beyond it.
    """
    if not rates:
        return Reason("no_rates_at_purchase")
    if bought_as is not None and bought_as.get("how") == "offer":
        again = [rate for rate in rates if service_code(rate.carrier, rate.service) == bought_as["service"]]
        if again:
            return _priced_again(again, Money(bought_as["minor"], bought_as["currency"]), by_person=by_person)
        bought_as = None  # The store's own rate, or a service that is gone: as good as no quote.
    if bought_as is None:
        if not by_person:
            return Reason("quote_lost")
        cheapest = min(rates, key=lambda rate: rate.price.minor)
        return Chosen(cheapest, Reason("cheapest_without_quote", {"service": cheapest.service}))
    found = _wanted(rates, bought_as)
    if not found:
        return Reason("service_gone", {"carrier": bought_as["carrier"], "service": bought_as["service"]})
    quoted = Money(bought_as["minor"], bought_as["currency"])
    comparable = [rate for rate in found if rate.price.currency == quoted.currency]
    if not comparable:
        return Reason("currency_changed", {"quoted": quoted, "now": found[0].price})
    rate = min(comparable, key=lambda each: each.price.minor)
    limit = bought_as.get("limit_minor")
    most = quoted + tolerance(quoted) if limit is None else Money(limit, quoted.currency)
    if rate.price > most and not by_person:
        return Reason("dearer_than_quoted", {"quoted": quoted, "now": rate.price})
    named = {"carrier": rate.carrier, "service": rate.service}
    if bought_as.get("how") == "cheapest":
        return Chosen(rate, Reason("cheapest_as_set", named))
    return Chosen(rate, Reason("as_promised", named))


def _priced_again(rates: Sequence[Rate], paid: Money, *, by_person: bool) -> Chosen | Reason:
    """The service that the buyer chose, at today's price: by itself Waybill spends little more than the buyer paid."""
    rate = min(rates, key=lambda each: (each.price.currency != paid.currency, each.price.minor))
    if not by_person and (rate.price.currency != paid.currency or rate.price > paid + tolerance(paid)):
        return Reason("quote_lost_dearer", {"paid": paid, "now": rate.price})
    return Chosen(rate, Reason("priced_again", {"carrier": rate.carrier, "service": rate.service, "paid": paid}))


def _wanted(rates: Sequence[Rate], bought_as: Mapping[str, Any]) -> list[Rate]:
    """The rates that the offer may be bought as; an account that is not named may be any."""
    if bought_as.get("how") == "cheapest":
        return list(rates)
    service = (bought_as["carrier"], bought_as["service"])
    account = bought_as["account"]
    return [rate for rate in rates if (rate.carrier, rate.service) == service and account in ("", rate.account)]


def tolerance(quoted: Money) -> Money:
    """How much dearer a label may be than its quote before a person must look."""
    fixed = Money(int(_TOLERANCE_MAJOR.scaleb(exponent(quoted.currency))), quoted.currency)
    return max(quoted.percent(_TOLERANCE_PERCENT), fixed, Money(1, quoted.currency), key=lambda money: money.minor)
