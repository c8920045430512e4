"""The margin guard at a quote: what each label costs at most, and what the guard makes of the offers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from carriers.money import Money
from connector.packing.plan import Plan
from connector.quotes.adjustments import adjustment_key
from connector.quotes.reduced import ReducedCart
from connector.quotes.services import Chosen
from connector.rules.exchange import exchange_up
from connector.rules.facts import CallFacts, Priced
from connector.rules.guard import Guarded, knows_tax, look
from connector.rules.thresholds_apply import price_before
from connector.shop_settings import ShopSettings
from connector.words.reason import Reason

GUARD = "Margin guard"
"""How the guard is called among the rules that did not apply."""

_SURE = frozenset({"live", "held", "table"})


def is_blind(settings: ShopSettings, cart: ReducedCart) -> bool:
    """Whether the guard says nothing of this cart, whatever its offers are."""
    tax = "unknown" if cart.totals is None else cart.totals.tax
    return settings.guard.act == "off" or not knows_tax(settings.guard, tax)


def seen_by_guard(
    settings: ShopSettings,
    call: CallFacts,
    services: Sequence[Priced],
    rates: Mapping[str, Chosen],
    adjustments: Mapping[str, tuple[int, int]],
) -> tuple[Guarded, ...]:
    """The offers as the guard sees them."""
    return tuple(_offers(settings, call, services, rates, adjustments))


def flags(
    settings: ShopSettings, call: CallFacts, offers: Sequence[Guarded], packed: Plan | None
) -> tuple[Reason, ...] | None:
    """What the guard flags; None where it would change a price."""
    verdicts = look(settings.guard, call, offers, _cartons(settings, call, packed))
    if any(each.price is not None for each in verdicts):
        return None
    return tuple([each.why for each in verdicts if each.state == "flagged"])


def guarded(
    settings: ShopSettings,
    call: CallFacts,
    services: Sequence[Priced],
    rates: Mapping[str, Chosen],
    packed: Plan | None,
    adjustments: Mapping[str, tuple[int, int]],
) -> tuple[list[Priced], tuple[Reason, ...], tuple[tuple[str, Reason], ...]]:
    """The services with the prices that the guard leaves them, what it flags, and where it was off."""
    if settings.guard.act == "off" or not services:
        return list(services), (), ()
    cartons = _cartons(settings, call, packed)
    verdicts = look(settings.guard, call, _offers(settings, call, services, rates, adjustments), cartons)
    if not verdicts:
        return list(services), (), ()
    found = {each.code: each for each in verdicts}
    kept = []
    for service in services:
        verdict = found.get(service.code)
        acts = verdict is not None and verdict.price is not None and verdict.price != service.price
        kept.append(
            service.then(verdict.why, verdict.price)
            if acts and verdict is not None and verdict.price is not None
            else service
        )
    flagged = tuple(each.why for each in verdicts if each.state == "flagged")
    return kept, flagged, tuple((GUARD, each.why) for each in verdicts if each.state == "off")


def _offers(
    settings: ShopSettings,
    call: CallFacts,
    services: Sequence[Priced],
    rates: Mapping[str, Chosen],
    adjustments: Mapping[str, tuple[int, int]],
) -> Iterator[Guarded]:
    for service in services:
        if service.by_hand:
            continue  # A rate of the merchant's own that no carrier sells: pick-up, their own van.
        chosen = rates.get(service.code)
        key = adjustment_key(service.account_id, service.carrier, service.service)
        seen = adjustments.get(key)
        yield Guarded(
            service.code,
            service.price,
            price_before(service),
            _bound(settings, call, service, chosen),
            service.source in _SURE,
            None if seen is None else seen[0],
        )


def _bound(settings: ShopSettings, call: CallFacts, service: Priced, chosen: Chosen | None) -> Money | None:
    """The most that the label is expected to cost, in the call's currency; None where nobody knows."""
    if chosen is None or service.source == "safety":
        limit = next((each.limit for each in settings.bought_as if each.offer == service.code), None)
        return None if limit is None else Money.rounded(limit, call.currency)
    price = chosen.rate.price
    if service.source == "learned":
        price += _up(price, Decimal(chosen.rate.bound_permille) / 10)
    elif service.source == "cached":
        if not settings.learned_bound_percent:
            return None
        price += _up(price, settings.learned_bound_percent)
    return price if price.currency == call.currency else exchange_up(price, call.currency, call.rates)


def _cartons(settings: ShopSettings, call: CallFacts, packed: Plan | None) -> Money:
    """What the parcels' cartons cost, as far as the merchant said it."""
    costs = {
        each.name: Money.parse(each.cost, each.currency)
        for each in settings.packing.cartons
        if each.cost is not None and not each.flat_rate  # A flat rate is the label's price.
    }
    total = 0
    for parcel in packed.parcels if packed is not None and costs else ():
        cost = costs.get(parcel.carton)
        if cost is not None and cost.currency != call.currency:
            cost = exchange_up(cost, call.currency, call.rates)
        total += 0 if cost is None else cost.minor
    return Money(total, call.currency)


def _up(money: Money, percent: Decimal) -> Money:
    part, whole = percent.as_integer_ratio()
    return Money(-(-money.minor * part // (100 * whole)), money.currency)
