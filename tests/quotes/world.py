"""What quoting works with in these tests: carts, facts, carriers' answers, a store, and ways to make many of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast

from hypothesis import strategies as st

from carriers.address import Address
from carriers.carrier import Capabilities, Carrier
from carriers.measure import Weight
from carriers.money import Money
from carriers.parcel import RateRequest
from carriers.rate import Rate, Rates
from connector import shop_settings
from connector.packing.plan import Plan
from connector.quotes.answers import AccountAnswer, KeptProblem, KeptRate
from connector.quotes.decide import decide, plan
from connector.quotes.facts import Facts
from connector.quotes.ledger import LedgerRow
from connector.quotes.reduced import Place, ReducedCart, ReducedLine, ReducedTotals, reduce
from connector.shop_settings import ShopSettings
from connector.storage.ids import new_id
from connector.store import Answer, Cart, CartLine, Refusal, Store, StoreCapabilities, UseBackup
from webhooks.receiver import Reply

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # A Monday.
ORIGIN = Place(country="SK", province="BL", city="Bratislava", postal_code="811 01")
WIEN = Place(country="AT", city="Wien", postal_code="1010")
BUYER = Address("AT", "1010", city="Wien", street1="Stephansplatz 3", name="Sample Buyer", phone="+43 1 234567")
State = Literal["answered", "failed", "late"]
ZONES = ("UTC", "Europe/Bratislava", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "America/Santiago")


def keyed_hash(data: bytes) -> str:
    return hashlib.sha256(b"key" + data).hexdigest()[:32]


def settings(**changes: str) -> ShopSettings:
    """Settings as the command line would set them, in a shop that sells in euros."""
    return shop_settings.change(ShopSettings(), changes, "EUR")


def facts(chosen: ShopSettings | None = None, **changes: Any) -> Facts:
    body = shop_settings.dump(chosen or settings())
    usual: dict[str, Any] = {"settings_version": 3, "timezone": "Europe/Bratislava", "origin": ORIGIN}
    return Facts(settings=body, **usual | changes)


def line(grams: int | None = 400, price: int = 1000, quantity: int = 1, **changes: Any) -> ReducedLine:
    usual: dict[str, Any] = {"sku": "MUG", "name": "Mug", "variant_id": "var_1"}
    return ReducedLine(quantity=quantity, price=price, grams=grams, **usual | changes)


def cart(*lines: ReducedLine, **changes: Any) -> ReducedCart:
    usual: dict[str, Any] = {"currency": "EUR", "locale": "en", "destination": WIEN}
    return ReducedCart(lines=lines or (line(),), **usual | changes)


def rate(minor: int = 700, service: str = "Ground", carrier: str = "Fake", **changes: Any) -> KeptRate:
    days = 1 if service.startswith("Express") else 3
    usual: dict[str, Any] = {"account": "ca_1", "currency": "EUR", "transit_days": days, "transit_basis": "working"}
    return KeptRate(carrier=carrier, service=service, minor=minor, **usual | changes)


def answered(*rates: KeptRate, account_id: str = "acc_1", problems: tuple[KeptProblem, ...] = ()) -> AccountAnswer:
    return AccountAnswer(account_id=account_id, carrier="fake", state="answered", rates=rates, problems=problems)


def refused(*codes: str, account_id: str = "acc_1", state: State = "answered") -> AccountAnswer:
    problems = tuple(KeptProblem(account="ca_1", carrier="Fake", code=code) for code in codes)
    return AccountAnswer(account_id=account_id, carrier="fake", state=state, problems=problems)


def row_of(
    asked: ReducedCart,
    using: Facts,
    answers: tuple[AccountAnswer, ...],
    store: Store,
    at: datetime = NOW,
    echo: Mapping[str, str] | None = None,
    shop_id: str = "shop_1",
) -> LedgerRow:
    """A ledger row as the desk makes it."""
    decision = decide(asked, using, answers, at)
    quote_id = new_id("quo", at)
    echo = echo or {}
    reply = store.write_answer(decision.answer(quote_id, at), echo)
    planned = plan(asked, shop_settings.load(using.settings))
    return LedgerRow(
        shop_id=shop_id,
        id=quote_id,
        at=at,
        cart=asked,
        facts=using,
        answers=answers,
        decision=decision,
        echo=echo,
        signature="valid",
        digest=hashlib.sha256(reply.body).hexdigest(),
        elapsed_ms=12,
        plan_id=planned.id if isinstance(planned, Plan) else "",
    )


# --- a store and a carrier that only quote ------------------------------------------------------------------------


def _days(service: str) -> int:
    return 1 if service.startswith("Express") else 3


@dataclass
class PlainStore:
    """Writes every answer as JSON that shows all of it."""

    capabilities: StoreCapabilities = field(default_factory=lambda: StoreCapabilities(10.0, 0, 60))
    written: list[Answer | UseBackup | Refusal] = field(default_factory=list)

    def write_answer(self, answer: Answer | UseBackup | Refusal, echo: Mapping[str, str]) -> Reply:
        self.written.append(answer)
        if isinstance(answer, Answer):
            shown = [
                [each.code, each.name, str(each.price), each.description, str(each.earliest), str(each.latest)]
                for each in answer.offers
            ]
            return Reply(200, json.dumps({"offers": shown, "echo": dict(echo)}).encode())
        return Reply(503, json.dumps({"why": answer.code}).encode())


def plain_store() -> Store:
    return cast("Store", PlainStore())


@dataclass(eq=False)
class PlainCarrier:
    """Answers with the same prices for each parcel, or by `by_grams`: what a parcel of that weight may go with."""

    prices: Mapping[str, int] = field(default_factory=lambda: {"Ground": 700, "Express": 1500})
    by_grams: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    error: Exception | None = None
    capabilities: Capabilities = field(default_factory=lambda: Capabilities("refused", 60))
    asked: list[RateRequest] = field(default_factory=list)

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        known = self.by_grams.get(request.parcels[0].weight.grams, self.prices)
        return Rates(
            tuple(
                Rate("ca_1", "Fake", service, Money(minor, request.currency), transit_days=_days(service))
                for service, minor in known.items()
            )
        )


def as_carrier(plain: PlainCarrier) -> Carrier:
    return cast("Carrier", plain)


# --- many of them -------------------------------------------------------------------------------------------------

CURRENCIES = ("EUR", "JPY", "KWD")
words = st.text(max_size=12)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def reduced_carts(draw: st.DrawFn, currency: str | None = None) -> ReducedCart:
    """Carts as they are kept, sensible and not."""
    money = st.integers(0, 10**7)
    chosen = currency or draw(st.sampled_from(CURRENCIES))
    lines = st.builds(
        ReducedLine,
        quantity=st.integers(1, 40),
        price=money,
        grams=st.none() | st.integers(0, 40_000),
        sku=words,
        name=words,
        requires_shipping=st.booleans(),
    )
    totals = st.builds(ReducedTotals, subtotal=money, discount=st.none() | money)
    place = st.builds(Place, country=st.sampled_from(["SK", "AT", "US"]), city=words, postal_code=words)
    return ReducedCart(
        lines=tuple(draw(st.lists(lines, min_size=1, max_size=4))),
        currency=chosen,
        locale=draw(st.sampled_from(["en", "sk", "ar-EG", "xx", ""])),
        destination=draw(st.none() | place) if draw(st.integers(0, 9)) == 0 else draw(place),
        totals=draw(st.none() | totals),
    )


@st.composite
def some_answers(draw: st.DrawFn) -> tuple[AccountAnswer, ...]:
    """Answers of up to four accounts that know the same few services."""
    rates = st.builds(
        KeptRate,
        account=st.sampled_from(["ca_1", "ca_2"]),
        carrier=st.sampled_from(["USPS", "DHL", "Pošta", ""]),
        service=st.sampled_from(["GroundAdvantage", "EXPRESS_12", "Doporučene", "Экспресс", "2ndDayAir"]),
        minor=st.integers(0, 10**6),
        currency=st.sampled_from(CURRENCIES),
        transit_days=st.none() | st.integers(-2, 12) | st.just(10**9),
    )
    problems = st.builds(
        KeptProblem,
        account=st.just("ca_1"),
        carrier=st.sampled_from(["USPS", ""]),
        code=st.sampled_from(["no_service", "timeout", "credentials", "from_a_later_version"]),
        message=words,
    )
    some_states: list[State] = ["answered", "failed", "late"]
    states = st.sampled_from(some_states)
    found = []
    for number in range(draw(st.integers(0, 4))):
        state = draw(states)
        found.append(
            AccountAnswer(
                account_id=f"acc_{number}",
                carrier="fake",
                state=state,
                rates=tuple(draw(st.lists(rates, max_size=4))) if state == "answered" else (),
                problems=tuple(draw(st.lists(problems, max_size=2))),
            )
        )
    return tuple(found)


def _some_settings() -> st.SearchStrategy[ShopSettings]:
    changes = st.fixed_dictionaries(
        {},
        optional={
            "threshold": st.sampled_from(["50.00", "0", "20:usps-groundadvantage"]),
            "markup_percent": st.sampled_from(["10", "-33.3", "12.5"]),
            "markup_fixed": st.sampled_from(["1.50", "-20.00"]),
            "default_item_weight_g": st.just("250"),
            "default_carton": st.sampled_from(["300x200x150:180", "300x200x150:180:10000"]),
        },
    )
    safety = st.booleans()

    def build(chosen: dict[str, str], with_safety: bool) -> ShopSettings:
        more = {"backup": "safety", "safety_rates": "Standard:standard:6.90"} if with_safety else {}
        return settings(**chosen, **more)

    return st.builds(build, changes, safety)


some_facts = st.builds(
    facts, _some_settings(), timezone=st.sampled_from(ZONES), origin=st.sampled_from([ORIGIN, ORIGIN, ORIGIN, None])
)


def a_cart(*lines: CartLine, **changes: Any) -> Cart:
    """A cart as a store gives it."""
    usual: dict[str, Any] = {"currency": "EUR", "destination": BUYER}
    return Cart(lines or (CartLine(1, Money(1000, "EUR"), Weight(400), "MUG", "Mug", "var_1"),), **usual | changes)


def reduced(*lines: CartLine, **changes: Any) -> ReducedCart:
    return reduce(a_cart(*lines, **changes), keyed_hash)
