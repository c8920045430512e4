"""Ask every carrier account at once, until the deadline; a failing one costs its own answer only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import anyio
import structlog

from carriers.address import Address
from carriers.carrier import Carrier
from carriers.errors import CarrierError
from carriers.money import Money
from carriers.parcel import Parcel, RateRequest
from carriers.rate import Problem, Rate, Rates
from connector.packing.plan import Plan
from connector.quotes.answers import AccountAnswer, KeptProblem, keep_problem, keep_rate
from connector.quotes.reduced import without_person

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """One connection to a carrier: our id of it, the kind's name, and the connection."""

    id: str
    carrier: str
    connection: Carrier


@dataclass(frozen=True, slots=True)
class Question:
    """What all accounts are asked: from, to and the planned parcels; what the cart's goods cost, and how many."""

    origin: Address
    destination: Address
    plan: Plan
    currency: str
    goods: Money | None = None
    units: int | None = None


async def ask_all(accounts: Sequence[Account], question: Question, deadline_s: float) -> tuple[AccountAnswer, ...]:
    """Every account's answer, in the accounts' order; those that are not back by the deadline are `late`."""
    answers: dict[str, AccountAnswer] = {}

    async def one(account: Account) -> None:
        answers[account.id] = await _ask(account, question, deadline_s)

    with anyio.move_on_after(deadline_s):
        async with anyio.create_task_group() as group:
            for account in accounts:
                group.start_soon(one, account)
    return tuple(answers.get(account.id) or _late(account, deadline_s) for account in accounts)


def _late(account: Account, deadline_s: float) -> AccountAnswer:
    problem = KeptProblem(account="", carrier=account.carrier, code="timeout")
    return AccountAnswer(
        account_id=account.id,
        carrier=account.carrier,
        state="late",
        problems=(problem,),
        elapsed_ms=int(deadline_s * 1000),
    )


async def _ask(account: Account, question: Question, deadline_s: float) -> AccountAnswer:
    started = time.monotonic()
    capabilities = account.connection.capabilities
    destination = question.destination if capabilities.needs_street else without_person(question.destination)
    parcels = tuple(Parcel(parcel.gross, parcel.size) for parcel in question.plan.parcels)
    request = RateRequest(
        question.origin, destination, parcels, question.currency, goods=question.goods, units=question.units
    )
    try:
        if len(parcels) == 1 or capabilities.multi_parcel:
            rates = await account.connection.rates(request, deadline_s)
        else:
            rates = await _parcel_by_parcel(account.connection, request, deadline_s)
    except CarrierError as error:
        return _failed(account, error.code, error.message, started)
    except Exception:
        # A defect in an adapter must not take the other carriers' prices from the buyer.
        log.exception("carrier_defect", carrier=account.carrier, account=account.id)
        return _failed(account, "carrier_error", "", started)
    return AccountAnswer(
        account_id=account.id,
        carrier=account.carrier,
        state="answered",
        rates=tuple(keep_rate(rate, rate.price) for rate in rates.rates),
        problems=tuple(keep_problem(problem) for problem in rates.problems),
        elapsed_ms=_since(started),
    )


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
    first, *others = (answers[index] for index in range(len(request.parcels)))
    summed: list[Rate] = []
    problems = {(problem.account, problem.code): problem for each in (first, *others) for problem in each.problems}
    for rate in first.rates:
        prices = [rate.price]
        for other in others:
            match = next((found for found in other.rates if found.key == rate.key), None)
            if match is None or match.price.currency != rate.price.currency:
                break
            prices.append(match.price)
        if len(prices) == len(request.parcels):
            summed.append(replace(rate, price=Money(sum(price.minor for price in prices), rate.price.currency)))
        else:
            problem = Problem(rate.account, rate.carrier, "not_every_parcel", rate.service)
            problems[problem.account, f"{problem.code}:{rate.service}"] = problem
    partial = any(answer.partial for answer in (first, *others))
    return Rates(tuple(summed), tuple(problems.values()), partial, first.test_mode)


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
