"""Loading one container: full, sound, supported where asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.packing.carton import Carton
from connector.packing.goods import Extents, Goods
from connector.packing.load import Loaded, load
from connector.packing.result import Left, PackedCarton, Packing
from connector.packing.rules import Rules
from connector.packing.tables import Instance, read_thpack
from connector.words.reason import Reason
from tests.packing.checker import faults


def as_packing(instance: Instance, loaded: Loaded) -> tuple[Carton, Packing]:
    """What was loaded as the checker takes it; what stayed outside is left."""
    carton = Carton("container", instance.room, instance.room)
    parcel = PackedCarton(carton, instance.room, instance.room, 0, 0, 0, loaded.placed, 0)
    inside: dict[str, int] = {}
    for placed in loaded.placed:
        inside[placed.key] = inside.get(placed.key, 0) + placed.units
    outside = [
        Left(goods.key, goods.quantity - inside.get(goods.key, 0), Reason("pack_no_carton", {}))
        for goods in instance.goods
        if goods.quantity > inside.get(goods.key, 0)
    ]
    return carton, Packing((parcel,), tuple(outside), loaded.steps)


@pytest.mark.parametrize(("support", "least"), [(0.0, 0.86), (1.0, 0.84)])
@pytest.mark.parametrize("file", ["thpack1.txt", "thpack5.txt"])
def test_known_containers_are_loaded_soundly_and_well(reference: Path, file: str, support: float, least: float) -> None:
    with (reference / "packing" / file).open() as lines:
        instances = read_thpack(lines)[::25]
    shares = []
    for instance in instances:
        loaded = load(instance.goods, instance.room, support=support)
        carton, packing = as_packing(instance, loaded)
        assert faults(instance.goods, [carton], Rules(divisor=None, support=support), packing) == []
        assert loaded == load(instance.goods, instance.room, support=support)
        shares.append(loaded.fill)
    assert sum(shares) / len(shares) >= least


def test_more_effort_never_loads_less() -> None:
    goods = [Goods(f"s{n}", 6, Extents(30 + 7 * n, 41 + 3 * n, 25 + 5 * n), 0) for n in range(6)]
    fills = [load(goods, Extents(200, 180, 160), effort=effort).fill for effort in (1, 50, 500, 5000)]
    assert fills == sorted(fills)
    assert fills[0] > 0
