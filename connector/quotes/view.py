"""An answer as its page shows it: the sentence that it comes to, and each step that led there. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from carriers.money import Money
from connector.packing.picture import draw, legend
from connector.packing.plan import Plan, PlannedParcel
from connector.packing.result import PackedCarton
from connector.quotes.answers import AccountAnswer
from connector.quotes.decide import plan
from connector.quotes.decision import DecidedOffer
from connector.quotes.explain import explain
from connector.quotes.facts import settings_of
from connector.quotes.ledger import LedgerRow
from connector.quotes.parcels import lines_of
from connector.quotes.passed import passed_rules
from connector.words.reason import Reason

_MOST_PICTURES = 12


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step of a price: why, what it came to, and by how much that differs from the step before."""

    why: Reason
    price: Money
    change: Money | None


@dataclass(frozen=True, slots=True)
class ShownOffer:
    """An option as the buyer saw it, with its steps from the carrier's price to the buyer's."""

    name: str
    code: str
    price: Money
    source: str
    steps: tuple[ShownStep, ...]
    bought_as: str
    earliest: datetime | None
    latest: datetime | None


@dataclass(frozen=True, slots=True)
class ShownParcel:
    """A parcel of the plan: its goods by name, and a picture (an image's address) where it is known how they lie.

    `packed` is what the picture is drawn from, `legend` the goods' names in the order of their numbers in it.
    """

    number: int
    carton: str
    size: str
    gross_g: int
    tare_g: int
    goods: tuple[tuple[str, int], ...]
    picture: str
    packed: PackedCarton | None = None
    legend: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownWithheld:
    """Something that the buyer did not see, and why."""

    name: str
    why: Reason
    said: str


@dataclass(frozen=True, slots=True)
class ShownQuote:
    """All of one answer. `answer` is the first sentence, `notes` what was assumed and what is worth a look."""

    row: LedgerRow
    answer: str
    offers: tuple[ShownOffer, ...]
    parcels: tuple[ShownParcel, ...]
    notes: tuple[Reason, ...]
    withheld: tuple[ShownWithheld, ...]
    passed_rules: tuple[tuple[str, Reason], ...]
    asked: tuple[AccountAnswer, ...]


def shown(row: LedgerRow) -> ShownQuote:
    """The answer, with its parcels planned again from what was kept."""
    decision = row.decision
    planned = plan(row.cart, settings_of(row.facts))
    parcels: tuple[ShownParcel, ...] = ()
    if isinstance(planned, Plan):
        shipped = [line for line in row.cart.lines if line.requires_shipping]
        names = {line.key: kept.name or line.called for line, kept in zip(lines_of(row.cart), shipped, strict=True)}
        parcels = tuple(_parcel(planned, at, parcel, names) for at, parcel in enumerate(planned.parcels))
    return ShownQuote(
        row=row,
        answer=explain(row)[0],
        offers=tuple(_offer(each) for each in decision.offers),
        parcels=parcels,
        notes=decision.notes,
        withheld=tuple(
            ShownWithheld(f"{each.carrier} {each.service}".strip(), each.reason, each.said)
            for each in decision.withheld
        ),
        passed_rules=passed_rules(row),
        asked=row.answers,
    )


def _offer(offer: DecidedOffer) -> ShownOffer:
    steps: list[ShownStep] = []
    for step in offer.steps:
        price = Money(step.minor, step.currency)
        before = steps[-1].price if steps else None
        change = price - before if before is not None and before.currency == price.currency else None
        steps.append(ShownStep(step.reason, price, change))
    return ShownOffer(
        name=offer.name,
        code=offer.code,
        price=Money(offer.minor, offer.currency),
        source=offer.source,
        steps=tuple(steps),
        bought_as="" if offer.bought_as is None else offer.bought_as.said(),
        earliest=offer.earliest,
        latest=offer.latest,
    )


def _parcel(planned: Plan, at: int, parcel: PlannedParcel, names: Mapping[str, str]) -> ShownParcel:
    picture, packed = "", None
    if planned.packing is not None and at < min(len(planned.packing.cartons), _MOST_PICTURES):
        packed = planned.packing.cartons[at]
        drawn = draw(packed, f"{at + 1}. {parcel.carton}", names)
        picture = f"data:image/svg+xml;base64,{b64encode(drawn.encode()).decode()}"
    return ShownParcel(
        number=at + 1,
        carton=parcel.carton,
        size=str(parcel.size) if parcel.size else "",
        gross_g=parcel.gross.grams,
        tare_g=parcel.tare.grams,
        goods=tuple((names.get(line, line), units) for line, units in parcel.contents),
        picture=picture,
        packed=packed,
        legend=() if packed is None else tuple(names.get(key, key) for key in legend(packed)),
    )
