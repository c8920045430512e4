"""Gaps and measurements: worst gaps first, planted errors found, honest records left alone, nothing changed."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.catalogue.check import crosses_customs, gaps
from connector.catalogue.keep import Entry, merged
from connector.catalogue.measured import Measured, read_scale
from connector.catalogue.product import Values
from connector.catalogue.suspects import suspects

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def entry(key: str, bad: tuple[str, ...] = (), **said: Any) -> Entry:
    own = Values.model_validate(said)
    made = Entry(key, key.upper(), variant_id=key, own=own, bad_fields=bad)
    return Entry(key, key.upper(), variant_id=key, own=own, bad_fields=bad, product=merged(made))


SIZE: dict[str, Any] = {"length_mm": 300, "width_mm": 200, "height_mm": 100}
WHOLE: dict[str, Any] = {
    "weight_g": 400,
    **SIZE,
    "hs_code": "691200",
    "origin_country": "SK",
    "customs_description": "Mug",
}


@pytest.mark.need(61)
@pytest.mark.complaint(44)
def test_what_blocks_comes_first_then_what_sells_most() -> None:
    found = gaps(
        [entry("a", weight_g=5), entry("b", weight_g=5), entry("c"), entry("d", **WHOLE)],
        has_cartons=True,
        sold={"b": 9, "a": 1},
    )
    assert [(gap.severity, gap.key, gap.field) for gap in found] == [
        ("blocks", "c", "weight"),
        ("costs", "b", "size"),
        ("costs", "a", "size"),
        ("costs", "c", "size"),
    ]


def test_customs_data_is_asked_for_only_where_goods_meet_customs() -> None:
    bare = entry("a", weight_g=5)
    assert gaps([bare], destination="DE", origins=["SK"]) == []
    found = gaps([bare], destination="BR", origins=["SK"])
    assert [gap.field for gap in found] == ["hs_code", "origin_country", "customs_description"]
    assert gaps([entry("d", **WHOLE)], destination="BR", origins=["SK"]) == []
    assert crosses_customs([], "BR")
    assert crosses_customs(["SK", "US"], "DE")


def test_goods_that_fit_no_carton_or_cannot_be_so_dense_are_named() -> None:
    found = gaps(
        [entry("a", weight_g=900, length_mm=5, width_mm=5, height_mm=5), entry("b", **WHOLE)], room=(299, 299, 299)
    )
    assert [(gap.key, gap.why.code) for gap in found] == [("b", "gap_fits_nothing"), ("a", "gap_density")]


def test_digital_goods_have_no_gaps_and_unreadable_fields_are_named() -> None:
    assert gaps([entry("a", requires_shipping=False)]) == []
    (gap,) = gaps([entry("b", bad=("custom.l",), weight_g=5)])
    assert (gap.severity, gap.field) == ("look", "custom.l")


# --- measurements -------------------------------------------------------------------------------------------------


def shipped(truth: dict[str, int], recorded: dict[str, int], parcels: int, seed: int) -> list[Measured]:
    """Parcels of two or three products, weighed with a few grams of noise."""
    chance = random.Random(seed)  # noqa: S311 - a test's.
    found = []
    for number in range(parcels):
        contents = tuple((key, chance.randint(1, 3)) for key in chance.sample(sorted(truth), chance.randint(1, 3)))
        gross = 200 + sum(truth[key] * units for key, units in contents) + chance.randint(-8, 8)
        planned = 200 + sum(recorded[key] * units for key, units in contents)
        found.append(Measured("carrier", f"inv {number}", NOW, gross, planned_grams=planned, contents=contents))
    return found


@pytest.mark.need(16)
@pytest.mark.parametrize("seed", range(5))
def test_planted_wrong_weights_are_found_and_right_ones_left_alone(seed: int) -> None:
    truth = {f"v{n}": 150 + 70 * n for n in range(12)}
    recorded = truth | {"v2": truth["v2"] - 120, "v7": truth["v7"] + 260}
    found = suspects(shipped(truth, recorded, 150, seed), recorded)
    assert {each.key for each in found} == {"v2", "v7"}
    for each in found:
        assert each.suggested_g is not None
        assert abs(each.suggested_g - truth[each.key]) <= 10
        assert each.agree >= 0.7 * each.parcels
        assert each.causes


@pytest.mark.parametrize("seed", range(5))
def test_honest_records_are_never_suspected(seed: int) -> None:
    truth = {f"v{n}": 150 + 70 * n for n in range(12)}
    assert suspects(shipped(truth, truth, 150, seed), truth) == []


def test_two_measurements_are_not_enough() -> None:
    scale = [Measured("scale", str(n), NOW, 500, key="a") for n in range(2)]
    assert suspects(scale, {"a": 400}) == []
    assert [each.suggested_g for each in suspects([*scale, scale[0]], {"a": 400})] == [500]


def test_a_size_is_suspected_from_what_was_measured_by_itself() -> None:
    boxes = [
        Measured("carrier", str(n), NOW, size=(205, 402, 151), contents=(("a", 1),), own_box=True) for n in range(3)
    ]
    (found,) = suspects(boxes, {}, {"a": (300, 200, 150)})
    assert (found.what, found.suggested_mm) == ("size", (402, 205, 151))
    assert suspects(boxes, {}, {"a": (400, 205, 150)}) == []


def test_a_scale_file_is_refused_with_every_fault() -> None:
    lines, faults = read_scale("sku,weight_g,length_mm\nA,400,\nB,0,\nC,,5\n,5,\n")
    assert [line.key for line in lines] == ["sku:A"]
    assert [(fault.line, fault.field) for fault in faults] == [(3, "weight_g"), (4, "length_mm"), (5, "parcel")]
    assert read_scale("colour\nred\n")[1]
