"""Packing of an order: goods and cartons in, parcels with every unit's place out. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector.packing.block import Meter
from connector.packing.carton import Carton
from connector.packing.choose import Chooser, Part, chooser
from connector.packing.forms import Key, Shelf, shelf_of, total
from connector.packing.goods import Extents, Goods
from connector.packing.kinds import Stock, kind_of, stock_of
from connector.packing.naming import Naming
from connector.packing.result import Left, PackedCarton, Packing, Placed
from connector.packing.rules import Rules, billed, dimensional
from connector.packing.whynot import why_carrier_refuses, why_nothing_fits

DEFAULT_RULES = Rules()


def pack(goods: Sequence[Goods], cartons: Iterable[Carton], rules: Rules = DEFAULT_RULES) -> Packing:
    """Pack one order.

    What fits nothing is left out with its reason; everything else is packed. Equal input gives an equal answer.
    Raises PackingError where costs are in two currencies.
    """
    meter = Meter(rules.effort)
    shelf = shelf_of(tuple(cartons), goods, rules)
    packed: list[PackedCarton] = []
    left: list[Left] = []
    shared: list[Goods] = []
    for each in goods:
        if each.handling.own_box:
            _own_box(each, rules, packed, left)
            continue
        if not _fits_any(each, shelf):
            left.append(Left(each.key, each.quantity, why_nothing_fits(each, shelf.forms)))
        elif each.handling.alone:
            stock = stock_of([Goods(each.key, 1, each.size, each.weight, each.handling)])
            part = chooser(stock, shelf, rules, meter).solve()[0]
            packed += _finish([part] * each.quantity, stock_of([each]), rules)
        else:
            shared.append(each)
    for share in _shares(shared, shelf, rules, meter):
        packed += share
    packed.sort(key=lambda carton: (carton.own_box, -carton.outer.volume, -carton.gross))
    return Packing(tuple(packed), tuple(left), meter.used)


def _fits_any(goods: Goods, shelf: Shelf) -> bool:
    return any(shelf.fits(kind_of(goods)))


def _shares(goods: Sequence[Goods], shelf: Shelf, rules: Rules, meter: Meter) -> list[list[PackedCarton]]:
    """Groups apart; what belongs to none goes with the group where it costs least, or by itself."""
    if not goods:
        return []
    groups = sorted({each.handling.group for each in goods if each.handling.group})
    neutral = [each for each in goods if not each.handling.group]
    if len(groups) <= 1:
        return [_packed(goods, shelf, rules, meter)[1]]
    own = {group: [each for each in goods if each.handling.group == group] for group in groups}
    alone = {group: _packed(own[group], shelf, rules, meter) for group in groups}
    if not neutral:
        return [alone[group][1] for group in groups]
    options: list[tuple[Key, int, list[list[PackedCarton]]]] = []
    by_itself = _packed(neutral, shelf, rules, meter)
    options.append(
        (total([by_itself[0], *(alone[g][0] for g in groups)]), 1, [by_itself[1], *(alone[g][1] for g in groups)])
    )
    for host in groups:
        joined = _packed([*own[host], *neutral], shelf, rules, meter)
        others = [alone[group] for group in groups if group != host]
        options.append((total([joined[0], *(o[0] for o in others)]), 0, [joined[1], *(o[1] for o in others)]))
    return min(options, key=lambda option: option[:2])[2]


def _packed(goods: Sequence[Goods], shelf: Shelf, rules: Rules, meter: Meter) -> tuple[Key, list[PackedCarton]]:
    stock = stock_of(goods)
    choice: Chooser = chooser(stock, shelf, rules, meter)
    parts = choice.solve()
    return total(part.key for part in parts), _finish(parts, stock, rules)


def _finish(parts: Sequence[Part], stock: Stock, rules: Rules) -> list[PackedCarton]:
    """Give each unit its name and its place, and weigh the cartons."""
    naming = Naming(stock)
    done = []
    for part in parts:
        form = part.form
        carton = form.carton
        placed = naming.places(part.load.blocks, carton.padding, let_down=rules.support == 0)
        gross = carton.tare + part.load.weight
        inner = Extents(*(edge + 2 * carton.padding for edge in form.room))
        done.append(
            PackedCarton(
                carton,
                form.outer,
                inner,
                gross,
                dimensional(form.outer, rules),
                billed(form.outer, gross, rules, flat_rate=carton.flat_rate),
                placed,
                sum(each.width * each.length * each.depth for each in placed),
            )
        )
    return done


def _own_box(goods: Goods, rules: Rules, packed: list[PackedCarton], left: list[Left]) -> None:
    """Units that go out in the box that they come in."""
    refused = rules.limits.refuses(goods.size, goods.weight)
    if refused is not None:
        left.append(Left(goods.key, goods.quantity, why_carrier_refuses(goods.key, refused)))
        return
    carton = Carton(goods.key, goods.size, goods.size)
    parcel = PackedCarton(
        carton,
        goods.size,
        goods.size,
        goods.weight,
        dimensional(goods.size, rules),
        billed(goods.size, goods.weight, rules),
        (Placed(goods.key, 0, 0, 0, *goods.size),),
        goods.size.volume,
        own_box=True,
    )
    packed += [parcel] * goods.quantity
