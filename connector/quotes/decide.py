"""The decision: pure, and it sees only what is kept, so that it can be made again byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from carriers.money import Money
from connector.packing.plan import Plan, Unplannable
from connector.quotes.alike import Key, Made, find, is_plain, keep, key_of
from connector.quotes.answers import AccountAnswer
from connector.quotes.call_facts import call_facts
from connector.quotes.crossing import crosses, with_customs
from connector.quotes.decision import BoughtAs, DecidedOffer, Decision, KeptStep, Withheld
from connector.quotes.facts import Facts, settings_of
from connector.quotes.guarding import flags, guarded, is_blind, seen_by_guard
from connector.quotes.parcels import plan_cart, plans_for
from connector.quotes.reduced import ReducedCart
from connector.quotes.services import Chosen, choose, safety_services, service_name, silent_carriers
from connector.quotes.windows import Dates, date_notes, dates_of, not_sooner
from connector.quotes.wording import wording_of
from connector.rules.actions import Gone
from connector.rules.compiled import Compiled, compiled
from connector.rules.engine import answers_of, evaluate
from connector.rules.facts import CallFacts, Priced, Silent
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
    decision = _decide(cart, facts, answers, now, planned_before, with_passed=with_passed)
    return with_customs(decision, cart, facts) if crosses(cart, facts) else decision


def _decide(
    cart: ReducedCart,
    facts: Facts,
    answers: Sequence[AccountAnswer],
    now: datetime,
    planned_before: Planned | None,
    *,
    with_passed: bool,
) -> Decision:
    settings = settings_of(facts)
    planned, own = planned_before or plans_for(cart, settings, [(each.account_id, each.carrier) for each in answers])
    dates = dates_of(cart, facts, settings, now)
    valid_until = min([dates.start.until, *(each.until for each in answers if each.until)])
    unknown = cannot_ask(cart, facts, planned)
    if unknown is not None and unknown.code == "nothing_to_ship":
        return Decision(outcome="not_served", why=unknown, valid_until=valid_until)
    packed, ready = planned if isinstance(planned, Plan) else None, compiled(settings.rules)
    seen = _Seen(cart, facts, settings, ready, dates, answers, now, packed, own, valid_until)
    if unknown is None and ready.repeats and not with_passed and is_plain(answers):
        return _as_before(seen)
    call = seen.call(silent_carriers(answers, ready.class_of) if ready.thresholds else ())
    return _anew(seen, call, unknown, None, with_passed=with_passed)


class _Seen(NamedTuple):
    """What a decision looks at; `valid_until` is what dates and carriers allow."""

    cart: ReducedCart
    facts: Facts
    settings: ShopSettings
    ready: Compiled
    dates: Dates
    answers: Sequence[AccountAnswer]
    now: datetime
    packed: Plan | None
    own: Mapping[str, Plan | Unplannable]
    valid_until: datetime

    def call(self, silent: tuple[Silent, ...] = ()) -> CallFacts:
        """The call as rules see it."""
        return call_facts(self.cart, self.facts, self.settings, self.packed, self.now, silent)


def _as_before(seen: _Seen) -> Decision:
    """The decision of a call that is alike, where there was one; else made anew, and kept for the next."""
    settings, ready, packed = seen.settings, seen.ready, seen.packed
    blind = is_blind(settings, seen.cart)
    call = seen.call() if ready.rules or not blind else None
    if any(each is not packed for each in seen.own.values()):
        return _anew(seen, call or seen.call(), None, None)
    asked = None if call is None else answers_of(ready, call)
    key = key_of(seen.cart, seen.facts, seen.dates, seen.answers, asked)
    made = find(key)
    flagged = () if made is None or blind or call is None else flags(settings, call, made.guarded, packed)
    if made is None or flagged is None:
        return _anew(seen, call or seen.call(), None, key)
    until = None if call is None or not ready.timed else ready.valid_until(call.now)
    notes = () if packed is None else packed.notes
    return made.of(notes, flagged, seen.valid_until if until is None else min(seen.valid_until, until))


def _anew(
    seen: _Seen, call: CallFacts, unknown: Reason | None, key: Key | None, *, with_passed: bool = False
) -> Decision:
    cart, facts, settings, ready, dates, answers, _, packed, own, valid_until = seen
    rates, withheld = choose(cart.currency, settings, facts.adjustments, answers)
    withheld += _problems(answers)
    nowhere = bool(answers) and not rates and all(_goes_nowhere(answer) for answer in answers)
    why = unknown or (None if rates else _why_no_prices(answers, nowhere=nowhere))
    safety, left_out = _safety(settings, cart.currency, ready, needed=why is not None and not nowhere)
    if why is not None:
        withheld += left_out
    services = [each.service(ready.class_of, dates) for each in rates.values()]
    if why is None:
        found = evaluate(ready, call, services, safety, explain=with_passed)
    else:  # Without any price rules may still refuse, free a safety rate, or add the merchant's own options.
        found = evaluate(ready, call, safety, explain=with_passed)
    withheld += tuple([_taken(each) for each in found.gone])
    late = not_sooner(found.services) if settings.promises.hide_not_sooner else []
    withheld += tuple([_taken(Gone(mine, _not_sooner(than))) for mine, than in late])
    wanted = [each for each in found.services if not any(each is mine for mine, _ in late)]
    shown, flagged, unguarded = guarded(settings, call, wanted, rates, packed, facts.adjustments)
    dated = date_notes(dates, shown)
    decision = Decision(
        outcome="offers",
        why=why,
        withheld=withheld,
        notes=(*(packed.notes if packed else ()), *found.notes, *flagged, *dated),
        passed_rules=(*[(each.rule, each.why) for each in found.passed], *unguarded) if with_passed else (),
        valid_until=valid_until if found.valid_until is None else min(valid_until, found.valid_until),
    )
    if found.refused is not None:
        return decision.but(outcome="not_served", why=found.refused)
    if why is not None and not (found.services and _may_stand_alone(settings, why)):
        return decision.but(outcome="not_served" if nowhere else "backup")
    if not found.services:
        return decision.but(outcome="not_served", why=Reason("all_hidden"))
    ids = {name: each.id for name, each in own.items() if isinstance(each, Plan) and packed and each.id != packed.id}
    offers = [
        _offer(service, chosen, cart, settings, dates, ids.get(chosen.account_id, ""))
        if (chosen := rates.get(service.code)) is not None and chosen.account_id == service.account_id
        else _own_offer(service, settings, cart.locale)
        for service in shown
    ]
    only_own = why is not None and not any(each.source == "safety" for each in offers)
    decision = decision.but(offers=tuple(offers), why=None if only_own else why)
    if key is not None and shown == wanted:  # What the guard makes of a price is the cart's own.
        looked_at = seen_by_guard(settings, call, shown, rates, facts.adjustments)
        keep(key, Made(decision, looked_at, found.notes, dated), facts, dates, answers)
    return decision


def _why_no_prices(answers: Sequence[AccountAnswer], *, nowhere: bool) -> Reason:
    if nowhere:
        return Reason("no_carrier_serves")
    return Reason("no_prices") if answers else Reason("no_carriers")


def _safety(
    settings: ShopSettings, currency: str, ready: Compiled, *, needed: bool
) -> tuple[list[Priced], tuple[Withheld, ...]]:
    """The merchant's safety rates, where they are wanted: no price is known, or a threshold may need one."""
    if settings.backup != "safety" or not (needed or ready.thresholds):
        return [], ()
    return safety_services(settings, currency, ready.class_of)


def _may_stand_alone(settings: ShopSettings, why: Reason) -> bool:
    """Whether the merchant's own options are an answer: where carriers only failed, the platform's backup is better."""
    return settings.backup == "safety" or why.code in {"no_carriers", "no_carrier_serves"}


def _not_sooner(than: Priced) -> Reason:
    return Reason("not_sooner", {"than": than.name or service_name(than.carrier, than.service)})


def _taken(gone: Gone) -> Withheld:
    service = gone.service
    return Withheld(
        carrier=service.carrier or service.name,
        service=service.service if service.carrier else "",
        account_id=service.account_id,
        reason=gone.why,
    )


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


def _own_offer(service: Priced, settings: ShopSettings, locale: str) -> DecidedOffer:
    """What no carrier's rate is behind: a safety rate, or an option that a rule added."""
    first = service.steps[0].price
    is_safety = service.source == "safety"
    usual = BoughtAs(
        account_id="",
        account="",
        carrier="",
        service="" if is_safety else service.name,
        minor=first.minor,
        currency=first.currency,
        how="cheapest" if is_safety else "by_hand",
    )
    said = wording_of(settings).own(service, locale)
    return DecidedOffer(
        code=service.code,
        name=said.name,
        minor=service.price.minor,
        currency=service.price.currency,
        description=said.description,
        source="safety" if is_safety else "live",
        steps=_kept_steps(service),
        bought_as=_bought_as(service.code, settings, usual),
        marks=service.marks,
    )


def _offer(
    service: Priced, chosen: Chosen, cart: ReducedCart, settings: ShopSettings, dates: Dates, plan_id: str
) -> DecidedOffer:
    rate = chosen.rate
    window = dates.window(chosen.account_id, rate)
    itself = _itself(chosen.account_id, rate.account, rate.carrier, rate.service, rate.minor, rate.currency, rate.parts)
    said = wording_of(settings).say(
        service,
        rate.carrier,
        service_name(rate.carrier, rate.service),
        cart.locale,
        None if service.earliest is None else rate.transit_days,
        service.earliest,
        service.latest,
        None if window is None else window.coverage,
    )
    return DecidedOffer(
        code=service.code,
        name=said.name,
        minor=service.price.minor,
        currency=service.price.currency,
        description=said.description,
        earliest=service.earliest,
        latest=service.latest,
        source=rate.stand_in or "live",
        steps=_kept_steps(service),
        bought_as=_bought_as(service.code, settings, itself),
        plan_id=plan_id,
        dates_by="" if window is None else window.by,
        coverage=None if window is None else window.coverage,
        ships_on=None if window is None else window.ships_on,
        marks=service.marks,
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
    return tuple([KeptStep(reason=step.reason, minor=step.minor, currency=step.currency) for step in service.steps])


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
