"""Ask one carrier account for its prices; whatever goes wrong costs its own answer only."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import anyio
import structlog

from carriers.address import Address
from carriers.carrier import Carrier
from carriers.errors import CarrierError
from carriers.money import Money
from carriers.parcel import Parcel, RateRequest
from carriers.rate import Problem, Rate, Rates
from connector.packing.plan import Plan
from connector.quotes.answers import AccountAnswer, KeptProblem, KeptRate, keep_problem, keep_rate
from connector.quotes.reduced import without_person
from connector.words.reason import Reason

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """One connection to a carrier: our id of it, the kind's name, the connection, and whose it is."""

    id: str
    carrier: str
    connection: Carrier
    shop_id: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What all accounts are asked: from, to and the planned parcels; what the cart's goods cost, and how many.

    `plans` are those of accounts that take other cartons or have another divisor or other limits, by account id.
    """

    origin: Address
    destination: Address
    plan: Plan
    currency: str
    goods: Money | None = None
    units: int | None = None
    plans: Mapping[str, Plan] = field(default_factory=dict)
    requests: dict[tuple[bool, str], RateRequest] = field(default_factory=dict, compare=False, repr=False)

    def plan_of(self, account: Account) -> Plan:
        """The parcels that this account is asked for."""
        return self.plans.get(account.id, self.plan)


def late(account: Account, deadline_s: float) -> AccountAnswer:
    """No answer in time."""
    problem = KeptProblem(account="", carrier=account.carrier, code="timeout")
    return AccountAnswer(
        account_id=account.id,
        carrier=account.carrier,
        state="late",
        problems=(problem,),
        elapsed_ms=int(deadline_s * 1000),
    )


def too_many(account: Account) -> AccountAnswer:
    """Not even asked: too many calls to this account are under way."""
    return _failed(account, "overloaded", "", time.monotonic())


def not_packed(account: Account, why: Reason) -> AccountAnswer:
    """Not asked: the cart cannot be packed for this account."""
    return _failed(account, "not_packed", why.say(), time.monotonic())


def request_for(account: Account, question: Question) -> RateRequest:
    """What this account is asked: with the street only where the carrier needs it."""
    planned = question.plan_of(account)
    key = (account.connection.capabilities.needs_street, planned.id)
    request = question.requests.get(key)
    if request is None:
        destination = question.destination if key[0] else without_person(question.destination)
        parcels = tuple(Parcel(parcel.gross, parcel.size, parcel.packaging) for parcel in planned.parcels)
        request = question.requests[key] = RateRequest(
            question.origin, destination, parcels, question.currency, goods=question.goods, units=question.units
        )
    return request


async def ask_one(account: Account, request: RateRequest, deadline_s: float) -> AccountAnswer:
    """One account's answer; whatever goes wrong is in it."""
    started = time.monotonic()
    try:
        if len(request.parcels) == 1 or account.connection.capabilities.multi_parcel:
            rates = await account.connection.rates(request, deadline_s)
        else:
            rates = await _parcel_by_parcel(account.connection, request, deadline_s)
    except CarrierError as error:
        return _failed(account, error.code, error.message, started)
    except Exception:
        # A defect in an adapter must not take the other carriers' prices from the buyer.
        log.exception("carrier_defect", carrier=account.carrier, account=account.id)
        return _failed(account, "carrier_error", "", started)
    kept, problems = _keep_again(rates) if account.connection.capabilities.local else _keep(rates)
    return AccountAnswer(
        account_id=account.id,
        carrier=account.carrier,
        state="answered",
        rates=kept,
        problems=problems,
        partial=rates.partial,
        elapsed_ms=_since(started),
    )


_Kept = tuple[tuple[KeptRate, ...], tuple[KeptProblem, ...]]
_known: dict[int, tuple[Rates, _Kept]] = {}
_MOST_KNOWN = 4096


def _keep(rates: Rates) -> _Kept:
    """The answer as it is kept."""
    return (
        tuple([keep_rate(rate, rate.price) for rate in rates.rates]),
        tuple([keep_problem(problem) for problem in rates.problems]),
    )


def _keep_again(rates: Rates) -> _Kept:
    """The same, made once for each answer in memory: tables give the very same answer again."""
    found = _known.get(id(rates))
    if found is not None and found[0] is rates:
        return found[1]
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    kept = _keep(rates)
    _known[id(rates)] = rates, kept
    return kept


async def _parcel_by_parcel(carrier: Carrier, request: RateRequest, deadline_s: float) -> Rates:
    """For carriers that price one parcel a call: a service has a price only if every parcel has one."""
    answers: dict[int, Rates] = {}
    failures: list[CarrierError] = []

    async def one(index: int) -> None:
        try:
            answers[index] = await carrier.rates(replace(request, parcels=(request.parcels[index],)), deadline_s)
        except CarrierError as error:
            failures.append(error)

    async with anyio.create_task_group() as group:
        for index in range(len(request.parcels)):
            group.start_soon(one, index)
    if failures:
        raise failures[0]
    each = [answers[index] for index in range(len(request.parcels))]
    options = [{rate.key: rate for rate in answer.rates} for answer in each]
    summed: list[Rate] = []
    problems = list(dict.fromkeys(problem for answer in each for problem in answer.problems))
    for key in dict.fromkeys(key for known in options for key in known):
        rates = [known[key] for known in options if key in known]
        if len(rates) == len(each) and len({rate.price.currency for rate in rates}) == 1:
            summed.append(_sum(rates))
        else:
            problems.append(Problem(key[0], key[1], "not_every_parcel", key[2]))
    return Rates(tuple(summed), tuple(problems), any(answer.partial for answer in each), each[0].test_mode)


def _sum(rates: Sequence[Rate]) -> Rate:
    """One option for all parcels; the slowest one's transit counts, and a list price only if each parcel has one."""
    listed = [rate.list_price for rate in rates if rate.list_price is not None]
    all_listed = len(listed) == len(rates) and len({price.currency for price in listed}) == 1
    days = [rate.transit_days for rate in rates if rate.transit_days is not None]
    return replace(
        rates[0],
        price=Money(sum(rate.price.minor for rate in rates), rates[0].price.currency),
        list_price=sum(listed[1:], listed[0]) if all_listed else None,
        transit_days=max(days) if len(days) == len(rates) else None,
        rate_id="",
        parts=tuple(rate.price for rate in rates),
    )


def _failed(account: Account, code: str, message: str, started: float) -> AccountAnswer:
    problem = KeptProblem(account="", carrier=account.carrier, code=code, message=message[:300])
    return AccountAnswer(
        account_id=account.id,
        carrier=account.carrier,
        state="failed",
        problems=(problem,),
        elapsed_ms=_since(started),
    )


def _since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
