"""The decision: pure, and it sees only what is kept, so that it can be made again byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from carriers.money import Money
from connector.packing.plan import Plan, Unplannable
from connector.promises.window import next_midnight, window
from connector.quotes.adjustments import adjustment_key
from connector.quotes.answers import AccountAnswer, KeptRate
from connector.quotes.base_price import base_price, in_currency
from connector.quotes.call_facts import call_facts
from connector.quotes.decision import BoughtAs, DecidedOffer, Decision, KeptStep, Withheld
from connector.quotes.facts import Facts, settings_of
from connector.quotes.parcels import plan_cart, plans_for
from connector.quotes.reduced import ReducedCart
from connector.quotes.stand_in import stood_in
from connector.quotes.wording import wording_of
from connector.rules.facts import Priced, Step
from connector.rules.ruleset import apply
from connector.shop_settings import ShopSettings
from connector.words.reason import Reason


def plan(cart: ReducedCart, settings: ShopSettings) -> Plan | Unplannable:
    """The parcels of the lines that need shipping, for an account that nothing special is said of."""
    return plan_cart(cart, settings)


def cannot_ask(cart: ReducedCart, facts: Facts, planned: Plan | Unplannable) -> Reason | None:
    """Why carriers cannot even be asked; None where they can."""
    if isinstance(planned, Unplannable) and planned.why.code == "nothing_to_ship":
        return planned.why
    if facts.origin is None:
        return Reason("origin_missing")
    if cart.destination is None:
        return Reason("destination_missing")
    return planned.why if isinstance(planned, Unplannable) else None


Planned = tuple[Plan | Unplannable, Mapping[str, Plan | Unplannable]]


def decide(
    cart: ReducedCart,
    facts: Facts,
    answers: Sequence[AccountAnswer],
    now: datetime,
    planned_before: Planned | None = None,
    *,
    with_passed: bool = False,
) -> Decision:
    """From what is kept to the decision; equal input gives equal output.

    `planned_before` is what `plans_for` gave for this cart and these settings, where the caller has just asked it.
    `with_passed`: also why rules did not apply, which is not kept with a quote: it is asked for when it is explained.
    """
    settings = settings_of(facts)
    planned, own = planned_before or plans_for(cart, settings, [(each.account_id, each.carrier) for each in answers])
    valid_until = min([next_midnight(now, facts.timezone), *(each.until for each in answers if each.until)])
    unknown = cannot_ask(cart, facts, planned)
    if unknown is not None:
        return _without_prices(cart, settings, unknown, (), valid_until)
    assert isinstance(planned, Plan)  # noqa: S101 - cannot_ask has said so.
    notes = tuple(planned.notes)
    rates, withheld = _choose(cart.currency, settings, facts.adjustments, answers)
    withheld += _problems(answers)
    if not rates:
        if answers and all(_goes_nowhere(answer) for answer in answers):
            return Decision(
                outcome="not_served",
                why=Reason("no_carrier_serves"),
                withheld=withheld,
                notes=notes,
                valid_until=valid_until,
            )
        why = Reason("no_prices") if answers else Reason("no_carriers")
        decision = _without_prices(cart, settings, why, withheld, valid_until)
        return decision.but(notes=notes, offers=tuple([each.but(plan_id=planned.id) for each in decision.offers]))
    services = [chosen.priced for chosen in rates.values()]
    priced, passed = apply(settings.rules, call_facts(cart, facts, settings, planned, now), services)
    ids = {account_id: each.id for account_id, each in own.items() if isinstance(each, Plan)}
    offers = [
        _offer(service, chosen, cart, facts, settings, now, ids.get(chosen.account_id, planned.id))
        for service in priced
        for chosen in (rates[service.code],)
    ]
    offers.sort(key=lambda offer: (offer.minor, offer.code))
    return Decision(
        outcome="offers",
        offers=tuple(offers),
        withheld=withheld,
        notes=notes,
        passed_rules=tuple([(each.rule, each.why) for each in passed]) if with_passed else (),
        valid_until=valid_until,
    )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The rate that a service's offer is made from, our account's id, and its price in the cart's currency."""

    rate: KeptRate
    account_id: str
    priced: Priced

    def kept_back(self, reason: Reason) -> Withheld:
        return Withheld(carrier=self.rate.carrier, service=self.rate.service, account_id=self.account_id, reason=reason)


def _choose(
    currency: str,
    settings: ShopSettings,
    adjustments: Mapping[str, tuple[int, int]],
    answers: Sequence[AccountAnswer],
) -> tuple[dict[str, _Chosen], tuple[Withheld, ...]]:
    """The cheapest rate for each service code; the others with the reason."""
    chosen: dict[str, _Chosen] = {}
    withheld: list[Withheld] = []
    for answer in answers:
        for rate in answer.rates:
            seen = adjustments.get(adjustment_key(answer.account_id, rate.carrier, rate.service))
            priced = base_price(service_code(rate.carrier, rate.service), rate, settings, currency, seen)
            if isinstance(priced, Reason):
                withheld.append(
                    Withheld(
                        carrier=rate.carrier,
                        service=rate.service,
                        account_id=answer.account_id,
                        reason=priced,
                    )
                )
                continue
            priced = stood_in(priced, rate, settings)
            mine = _Chosen(rate, answer.account_id, priced)
            other = chosen.setdefault(priced.code, mine)
            if other is not mine:
                cheaper, dearer = (mine, other) if mine.priced.price < other.priced.price else (other, mine)
                chosen[priced.code] = cheaper
                withheld.append(dearer.kept_back(Reason("dearer_double", {"price": dearer.rate.price})))
    return chosen, tuple(withheld)


def _goes_nowhere(answer: AccountAnswer) -> bool:
    """Whether the account said of all that it reaches that nothing of it goes there."""
    said_no = bool(answer.problems) and all(problem.code == "no_service" for problem in answer.problems)
    return answer.state == "answered" and not answer.rates and said_no


def _problems(answers: Sequence[AccountAnswer]) -> tuple[Withheld, ...]:
    found = []
    for answer in answers:
        for problem in answer.problems:
            code = f"problem_{problem.code}" if problem.code in PROBLEM_CODES else "problem_carrier_error"
            if problem.code == "not_packed":
                why = Reason("problem_not_packed", {"why": problem.message})
                found.append(Withheld(carrier=answer.carrier, account_id=answer.account_id, reason=why))
                continue
            named = problem.code == "not_every_parcel"  # Its message is the service's name, in no carrier's words.
            found.append(
                Withheld(
                    carrier=problem.carrier or answer.carrier,
                    service=problem.message if named else "",
                    account_id=answer.account_id,
                    reason=Reason(code),
                    said="" if named else problem.message,
                )
            )
        if not answer.rates and not answer.problems:
            silent = Reason("no_price_named")
            found.append(Withheld(carrier=answer.carrier, account_id=answer.account_id, reason=silent))
    return tuple(found)


PROBLEM_CODES = frozenset(
    {
        "rate_refused",
        "no_service",
        "credentials",
        "timeout",
        "unreachable",
        "overloaded",
        "carrier_error",
        "garbled",
        "not_every_parcel",
    }
)


def _without_prices(
    cart: ReducedCart, settings: ShopSettings, why: Reason, withheld: tuple[Withheld, ...], valid_until: datetime
) -> Decision:
    if why.code == "nothing_to_ship":
        return Decision(outcome="not_served", why=why, valid_until=valid_until)
    if settings.backup == "platform":
        return Decision(outcome="backup", why=why, withheld=withheld, valid_until=valid_until)
    offers = []
    for rate in settings.safety_rates:
        price = Money.parse(rate.amount, rate.currency)
        priced = in_currency(Priced(rate.code, price, (Step(Reason("step_safety"), price),)), settings, cart.currency)
        if isinstance(priced, Reason):
            withheld += (Withheld(carrier=rate.name, reason=priced),)
            continue
        any_service = BoughtAs(
            account_id="",
            account="",
            carrier="",
            service="",
            minor=price.minor,
            currency=price.currency,
            how="cheapest",
        )
        offers.append(
            DecidedOffer(
                code=rate.code,
                name=rate.name,
                minor=priced.price.minor,
                currency=priced.price.currency,
                source="safety",
                steps=_kept_steps(priced),
                bought_as=_bought_as(rate.code, settings, any_service),
            )
        )
    if not offers:
        return Decision(outcome="backup", why=why, withheld=withheld, valid_until=valid_until)
    return Decision(outcome="offers", why=why, offers=tuple(offers), withheld=withheld, valid_until=valid_until)


def _offer(
    service: Priced,
    chosen: _Chosen,
    cart: ReducedCart,
    facts: Facts,
    settings: ShopSettings,
    now: datetime,
    plan_id: str,
) -> DecidedOffer:
    rate = chosen.rate
    days = window(now, rate.transit_days, facts.timezone)
    itself = _itself(chosen.account_id, rate.account, rate.carrier, rate.service, rate.minor, rate.currency, rate.parts)
    first, last = (days.earliest, days.latest) if days else (None, None)
    said = wording_of(settings).say(
        service,
        rate.carrier,
        service_name(rate.carrier, rate.service),
        cart.locale,
        None if days is None else rate.transit_days,
        first,
        last,
    )
    return DecidedOffer(
        code=service.code,
        name=said.name,
        minor=service.price.minor,
        currency=service.price.currency,
        description=said.description,
        earliest=first,
        latest=last,
        source=rate.stand_in or "live",
        steps=_kept_steps(service),
        bought_as=_bought_as(service.code, settings, itself),
        plan_id=plan_id,
    )


@lru_cache(maxsize=8192)  # The same services at the same prices go into most offers.
def _itself(
    account_id: str, account: str, carrier: str, service: str, minor: int, currency: str, parts: tuple[int, ...]
) -> BoughtAs:
    return BoughtAs(
        account_id=account_id,
        account=account,
        carrier=carrier,
        service=service,
        minor=minor,
        currency=currency,
        parts=parts,
    )


def _kept_steps(service: Priced) -> tuple[KeptStep, ...]:
    return tuple(
        [KeptStep(reason=step.reason, minor=step.price.minor, currency=step.price.currency) for step in service.steps]
    )


def _bought_as(offer: str, settings: ShopSettings, usual: BoughtAs) -> BoughtAs:
    """As the merchant set it for this offer, else as usual."""
    wanted = next((each for each in settings.bought_as if each.offer == offer), None)
    if wanted is None:
        return usual
    return BoughtAs(
        account_id="",
        account="",
        carrier=usual.carrier if wanted.how == "by_hand" else wanted.carrier,
        service=usual.service if wanted.how == "by_hand" else wanted.service,
        minor=usual.minor,
        currency=usual.currency,
        how=wanted.how,
        limit_minor=None if wanted.limit is None else Money.rounded(wanted.limit, usual.currency).minor,
    )


@lru_cache(maxsize=2048)
def service_code(carrier: str, service: str) -> str:
    """A stable code such as `usps-groundadvantage`: no date, price or id in it."""
    return re.sub(r"[\W_]+", "-", f"{carrier}-{service}".casefold()).strip("-") or "shipping"


@lru_cache(maxsize=2048)
def service_name(carrier: str, service: str) -> str:
    """A stable name such as `USPS Ground Advantage`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", service.replace("_", " "))
    return " ".join(words.split()) if words.casefold().startswith(carrier.casefold()) else f"{carrier} {words}".strip()
