"""The parcels of a quote for whoever looks at them: carton, contents, weights, why not a smaller one, and a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

from carriers.measure import Size, Weight
from connector.packing.explain import Explained, explain
from connector.packing.goods import Goods
from connector.packing.picture import draw
from connector.packing.plan import Item, Plan, PlannedParcel, Unplannable
from connector.packing.result import PackedCarton
from connector.packing.sized import cube
from connector.quotes.facts import settings_of
from connector.quotes.ledger import LedgerRow
from connector.quotes.parcels import Setup, base_key, items_of, lines_of, plan_lines, setup_of
from connector.words.reason import Reason


@dataclass(frozen=True, slots=True)
class ShownParcel:
    """One parcel. `contents` are (name, units); `fill` is the share of its room that is used, where that is known.

    `figures`, `why_not` (the cheaper cartons and what keeps the goods out) and `steps` (how it is packed) are reasons;
    `svg` is the picture. They are empty for goods without a size, which go by weight.
    """

    number: int
    count: int
    carton: str
    contents: tuple[tuple[str, int], ...]
    gross: Weight
    tare: Weight
    size: Size | None
    billed: int | None
    dimensional: int | None
    fill: float | None
    figures: tuple[Reason, ...] = ()
    why_not: tuple[Reason, ...] = ()
    steps: tuple[Reason, ...] = ()
    svg: str | None = None


@dataclass(frozen=True, slots=True)
class ShownParcels:
    """The parcels of one plan. `same` is False if this release packs the cart otherwise than the quote did."""

    plan_id: str
    parcels: tuple[ShownParcel, ...]
    notes: tuple[Reason, ...]
    same: bool


def parcels_of_quote(
    row: LedgerRow, offer_code: str = "", *, why: bool = True, pictures: bool = False
) -> ShownParcels | Unplannable:
    """The parcels that an offer's price is for (without a code: the first offer's); made again from what is kept.

    `why` searches a little for the cheaper cartons, and `pictures` draws: neither is for the checkout.
    """
    settings = settings_of(row.facts)
    offers = row.decision.offers
    offer = next((each for each in offers if each.code == offer_code), offers[0] if offers else None)
    account = offer.bought_as.account_id if offer is not None and offer.bought_as is not None else ""
    carrier = next((each.carrier for each in row.answers if each.account_id == account), "")
    lines = lines_of(row.cart)
    plan = plan_lines(lines, settings, account, carrier)
    if isinstance(plan, Unplannable):
        return plan
    wanted = (offer.plan_id if offer is not None else "") or row.plan_id
    setup = setup_of(settings, account, carrier)
    items = items_of(lines)
    return ShownParcels(
        plan.id, shown(plan, items, setup, why=why, pictures=pictures), plan.notes, wanted in ("", plan.id)
    )


def shown(
    plan: Plan, items: tuple[Item, ...], setup: Setup, *, why: bool = True, pictures: bool = False
) -> tuple[ShownParcel, ...]:
    """The parcels of a plan that was just made from these items."""
    names = {item.key: _name(item) for item in items} | {item.line: item.called for item in items}
    packed: tuple[PackedCarton, ...] = () if plan.packing is None else plan.packing.cartons
    words: list[Explained | None] = [None] * len(packed)
    if why and plan.packing is not None:
        goods = [
            Goods(item.key, item.quantity, item.size, item.weight.grams if item.weight else 0, item.handling)
            for item in _as_packed(items, setup)
            if item.size is not None
        ]
        if {placed.key for carton in packed for placed in carton.placed} <= {each.key for each in goods}:
            words = list(explain(plan.packing, goods, setup.for_items(items), setup.rules))
    return tuple(
        _parcel(
            number,
            len(plan.parcels),
            parcel,
            packed[number - 1] if number <= len(packed) else None,
            words[number - 1] if number <= len(packed) else None,
            names,
            pictures=pictures,
        )
        for number, parcel in enumerate(plan.parcels, 1)
    )


def _as_packed(items: tuple[Item, ...], setup: Setup) -> list[Item]:
    """The items with the weights and sizes that were assumed where they are not known."""
    found = []
    for item in items:
        weight = item.weight or setup.missing.weight or Weight(0)
        density = setup.missing.density
        size = item.size or (None if density is None else cube(weight, density))
        found.append(replace(item, weight=weight, size=size))
    return found


def _parcel(
    number: int,
    count: int,
    parcel: PlannedParcel,
    packed: PackedCarton | None,
    words: Explained | None,
    names: dict[str, str],
    *,
    pictures: bool,
) -> ShownParcel:
    title = f"Parcel {number} of {count}: {parcel.carton}"
    return ShownParcel(
        number=number,
        count=count,
        carton=parcel.carton,
        contents=tuple((names.get(key, names.get(base_key(key), key)), units) for key, units in parcel.contents),
        gross=parcel.gross,
        tare=parcel.tare,
        size=parcel.size,
        billed=parcel.billed,
        dimensional=None if packed is None else packed.dimensional,
        fill=None if packed is None else packed.fill,
        figures=() if words is None else tuple(_named(each, names) for each in words.figures),
        why_not=() if words is None else tuple(_named(each, names) for each in words.why_not),
        steps=() if words is None else tuple(_named(each, names) for each in words.steps),
        svg=draw(_with_names(packed, names), title) if pictures and packed is not None else None,
    )


def _name(item: Item) -> str:
    return item.called if item.units == 1 else f"{item.called} (case of {item.units})"


def _named(reason: Reason, names: dict[str, str]) -> Reason:
    """The reason with the merchant's name of the item in place of its key."""
    item = reason.params.get("item")
    return reason if item is None else Reason(reason.code, {**reason.params, "item": names.get(str(item), item)})


def _with_names(packed: PackedCarton, names: dict[str, str]) -> PackedCarton:
    placed = tuple([each._replace(key=names.get(each.key, each.key)) for each in packed.placed])
    return replace(packed, placed=placed)
