"""The parcels of a cart: one plan for each distinct set of cartons, divisor and limits, the same for quote and order.

Pure. Parcels' contents name goods by their catalogue key, so that a cart and the order that came of it, whose lines are
listed in another order, give the same plan with the same id.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from carriers.measure import Size, Weight
from connector.catalogue.product import Product, key_of
from connector.packing.carton import Carton
from connector.packing.errors import PackingError
from connector.packing.goods import ANY_WAY, Extents
from connector.packing.plan import MOST_PARCELS, Item, Plan, PlannedParcel, Unplannable, plan_parcels
from connector.packing.rules import Rules
from connector.packing.sized import Missing, plan_sized
from connector.quotes.reduced import ReducedCart
from connector.shop_settings import ShopSettings
from connector.words.reason import Reason

_PLANS_KEPT = 4096
_SETUPS_KEPT = 512
_AGAIN = " / "
_OWN = frozenset({"own", "measured", "field"})
"""Sources of a weight that count before what the store says in the call."""


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """Everything besides the goods that a plan depends on; equal digests are equal set-ups."""

    cartons: tuple[Carton, ...]
    default: Carton | None
    rules: Rules
    missing: Missing
    packagings: Mapping[str, str]
    digest: str = field(default="")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Setup) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def for_items(self, items: Sequence[Item]) -> tuple[Carton, ...]:
        """The cartons: the shop's own; without any, its default one for goods of known size."""
        if self.cartons or self.default is None or not any(item.size for item in items):
            return self.cartons
        return (self.default,)


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one variant, as a cart's or an order's line has them."""

    key: str
    called: str
    quantity: int
    grams: int | None = None
    product: Product | None = None


def lines_of(cart: ReducedCart) -> list[Line]:
    """The cart's goods that need shipping."""
    return [
        Line(
            key_of(line.variant_id, line.sku) if line.variant_id or line.sku else f"name:{line.name}",
            line.sku or line.name,
            line.quantity,
            line.grams,
            line.product,
        )
        for line in cart.lines
        if line.requires_shipping
    ]


def plan_cart(cart: ReducedCart, settings: ShopSettings, account_id: str = "", carrier: str = "") -> Plan | Unplannable:
    """The parcels that this account is asked for; without one, those of an account that nothing special is said of."""
    return plan_lines(lines_of(cart), settings, account_id, carrier)


def plan_lines(
    lines: Iterable[Line], settings: ShopSettings, account_id: str = "", carrier: str = ""
) -> Plan | Unplannable:
    """The same for any lines. Equal goods are planned once, and then found."""
    items = items_of(lines)
    if not items:
        return Unplannable(Reason("nothing_to_ship"))
    return _planned(setup_of(settings, account_id, carrier), items)


def plans_by_account(
    cart: ReducedCart, settings: ShopSettings, accounts: Iterable[tuple[str, str]]
) -> dict[str, Plan | Unplannable]:
    """The plans of those accounts (our id, kind) for which cartons, divisor or limits are their own; often none."""
    if not settings.packing.differs_by_carrier():
        return {}
    lines = lines_of(cart)
    usual = setup_of(settings)
    return {
        account_id: plan_lines(lines, settings, account_id, carrier)
        for account_id, carrier in accounts
        if setup_of(settings, account_id, carrier) != usual
    }


def plans_for(
    cart: ReducedCart, settings: ShopSettings, accounts: Iterable[tuple[str, str]]
) -> tuple[Plan | Unplannable, dict[str, Plan | Unplannable]]:
    """The usual plan, and those of accounts that have one of their own; the usual one is any that can be packed."""
    usual, own = plan_cart(cart, settings), plans_by_account(cart, settings, accounts)
    if isinstance(usual, Unplannable):
        usual = next((each for each in own.values() if isinstance(each, Plan)), usual)
    return usual, own


def items_of(lines: Iterable[Line]) -> tuple[Item, ...]:
    """The pieces to pack, by key: lines of one variant together, closed cases before single units."""
    units: dict[str, Line] = {}
    for line in lines:
        if line.quantity <= 0:
            continue
        key, number = line.key, 1
        while (known := units.get(key)) is not None and not _alike(known, line):
            number += 1
            key = f"{line.key}{_AGAIN}{number}"
        more = line.quantity + (0 if known is None else known.quantity)
        is_it = key == line.key and more == line.quantity
        units[key] = line if is_it else replace(line, key=key, quantity=more)
    return tuple(item for key in sorted(units) for item in _items(units[key]))


def base_key(key: str) -> str:
    """The catalogue key of goods in a plan: where lines of one variant differ, the later ones are numbered."""
    return key.split(_AGAIN, 1)[0]


def _alike(one: Line, other: Line) -> bool:
    return (one.called, one.grams, one.product) == (other.called, other.grams, other.product)


def _items(line: Line) -> list[Item]:
    product = line.product
    if product is None:
        weight = None if line.grams is None else Weight(line.grams)
        return [Item(line.key, line.quantity, weight, line.called)]
    grams = product.weight_g
    if line.grams is not None and (grams is None or product.source("weight_g") not in _OWN):
        grams = line.grams
    left = line.quantity
    found: list[Item] = []
    for piece in product.pieces:
        whole = left // piece.units
        if whole:
            weighs = piece.weight_g if piece.units > 1 else grams
            weight = None if weighs is None else Weight(weighs)
            found.append(Item(line.key, whole, weight, line.called, piece.size, piece.handling, piece.units))
            left -= whole * piece.units
    return found


@lru_cache(maxsize=_PLANS_KEPT)
def _planned(setup: Setup, items: tuple[Item, ...]) -> Plan | Unplannable:
    cartons = setup.for_items(items)
    if not cartons:
        items = tuple(each if each.handling.own_box else _without_size(each) for each in items)
    try:
        if any(each.size for each in items) or (cartons and setup.cartons):
            planned = plan_sized(items, cartons, setup.rules, setup.missing)
        else:
            planned = plan_parcels(items, setup.missing.carton, setup.missing.weight)
    except PackingError as error:
        return Unplannable(Reason("cannot_pack", {"why": error.message}))
    if isinstance(planned, Unplannable):
        return planned
    if len(planned.parcels) > MOST_PARCELS:
        return Unplannable(Reason("too_many_parcels", {"most": MOST_PARCELS}))
    if not setup.packagings:
        return planned
    parcels = tuple(replace(each, packaging=setup.packagings.get(each.carton, "")) for each in planned.parcels)
    return replace(planned, parcels=parcels)


def _without_size(item: Item) -> Item:
    """The single units of an item, by weight alone."""
    if item.units == 1:
        plain = item.size is None and item.handling == ANY_WAY
        return item if plain else replace(item, size=None, handling=ANY_WAY)
    assert item.weight is not None  # noqa: S101 - cases have weights, see Product.pieces.
    grams = -(-item.weight.grams // item.units)
    return replace(
        item, quantity=item.quantity * item.units, units=1, weight=Weight(grams), size=None, handling=ANY_WAY
    )


_setups: OrderedDict[tuple[int, str, str], tuple[ShopSettings, Setup]] = OrderedDict()


def setup_of(settings: ShopSettings, account_id: str = "", carrier: str = "") -> Setup:
    """The set-up for an account, made once for each settings version in memory."""
    if not settings.packing.differs_by_carrier():
        account_id = carrier = ""
    key = (id(settings), account_id, carrier)
    found = _setups.get(key)
    if found is not None and found[0] is settings:
        return found[1]
    made = _make_setup(settings, account_id, carrier)
    _setups[key] = (settings, made)
    while len(_setups) > _SETUPS_KEPT:
        _setups.popitem(last=False)
    return made


def _make_setup(settings: ShopSettings, account_id: str, carrier: str) -> Setup:
    packing = settings.packing
    taken = [each for each in packing.cartons if each.in_stock and each.goes_with(account_id, carrier)]
    chosen = settings.default_carton
    default = None
    if chosen is not None:
        outer = Extents(chosen.width_mm, chosen.length_mm, chosen.height_mm)
        default = Carton("default", outer, outer, chosen.tare_g, chosen.max_gross_g)
    made = Setup(
        tuple(each.packed() for each in taken),
        default,
        packing.rules_for(account_id, carrier),
        Missing(settings.default_weight, packing.density_kg_m3, settings.carton, packing.unfit),
        {each.name: each.packaging for each in taken if each.packaging},
    )
    said = repr((made.cartons, made.default, made.rules, made.missing, sorted(made.packagings.items())))
    return replace(made, digest=hashlib.sha256(said.encode()).hexdigest())


# --- kept with the quote ------------------------------------------------------------------------------------------


def plan_to_json(plan: Plan) -> list[Any]:
    """The parcels of a plan as they are kept: enough to ship it, not where each unit lies."""
    return [
        {
            "carton": each.carton,
            "contents": [list(content) for content in each.contents],
            "gross": each.gross.grams,
            "tare": each.tare.grams,
            "size": None if each.size is None else [each.size.length, each.size.width, each.size.height],
            "packaging": each.packaging,
            "billed": each.billed,
        }
        for each in plan.parcels
    ]


def plan_from_json(plan_id: str, body: Sequence[Mapping[str, Any]]) -> Plan:
    """A kept plan."""
    return Plan(
        plan_id,
        tuple(
            PlannedParcel(
                carton=each["carton"],
                contents=tuple((str(key), int(units)) for key, units in each["contents"]),
                gross=Weight(each["gross"]),
                tare=Weight(each["tare"]),
                size=None if each["size"] is None else Size(*each["size"]),
                packaging=each["packaging"],
                billed=each["billed"],
            )
            for each in body
        ),
    )


def goods_in(plan: Plan) -> dict[str, int]:
    """All units of a plan, by key."""
    found: dict[str, int] = {}
    for parcel in plan.parcels:
        for key, units in parcel.contents:
            found[base_key(key)] = found.get(base_key(key), 0) + units
    return found
