"""Why an invoice differs from the quote: the gap taken apart, measured on planted causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.invoice import Measures
from connector.insight.gaps import CAUSES, Attribution, Charge, Evidence, attribute, by_word
from tests.insight.planted import Box, Mixed, Planted, mixed, planted, tariff


def evidence_of(one: Planted) -> Evidence:
    return Evidence(
        quoted=one.quoted,
        bought=one.bought,
        invoiced=one.invoiced,
        stand_in=one.guessed,
        charges=tuple(Charge(word, minor) for word, minor in one.charges),
        planned=measures(one.said),
        captured=measures(one.seen),
    )


def measures(box: Box) -> Measures:
    return Measures(box.grams, box.sides, None, box.zone, box.home)


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean of the causes' F1, each cause counting the same."""
    scores = []
    for cause in sorted({truth for truth, _ in pairs}):
        hit = sum(truth == cause == found for truth, found in pairs)
        told = sum(found == cause for _, found in pairs)
        there = sum(truth == cause for truth, _ in pairs)
        scores.append(2 * hit / (told + there) if told + there else 0.0)
    return sum(scores) / len(scores)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_causes_are_found(seed: int) -> None:
    pairs = [(one.cause, attribute(evidence_of(one)).main or "none") for one in planted(seed, 120)]
    wrong = sorted({f"{truth} taken for {found}" for truth, found in pairs if truth != found})
    assert macro_f1(pairs) >= 0.9, wrong


amounts = st.integers(-5_000, 5_000)


@given(
    st.one_of(st.none(), amounts),
    amounts,
    amounts,
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(["Fuel", "Zone", "Residential", "Weight", "Misc", ""]), amounts), max_size=4),
)
def test_the_parts_always_add_up_to_the_gap(
    quoted: int | None, bought: int, invoiced: int, stood_in: bool, charges: list[tuple[str, int]]
) -> None:
    found = attribute(
        Evidence(quoted, bought, invoiced, stood_in, tuple(Charge(word, minor) for word, minor in charges))
    )
    assert found.gap == invoiced - (bought if quoted is None else quoted)
    assert {cause for cause, _ in found.parts} <= set(CAUSES)


def by_list(one: Mixed) -> Attribution:
    """Attributed by the shop's own list, which knows of no homes; other bills have named what those cost."""

    def listed(seen: Measures) -> int:
        return tariff(Box(seen.grams, seen.size, seen.zone, home=False))

    home = tariff(replace(one.said, home=True)) - tariff(one.said)
    return attribute(
        Evidence(
            quoted=one.bought,
            bought=one.bought,
            invoiced=one.invoiced,
            planned=measures(one.said),
            captured=measures(one.seen),
            price_of=listed,
            home_fee=home * (100 - one.off_percent) // 100,
        )
    )


def of_weight(parts: Mapping[str, int]) -> set[str]:
    """The causes that make at least a twelfth of the whole."""
    whole = sum(parts.values())
    return {cause for cause, minor in parts.items() if abs(minor) * 12 >= abs(whole)}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_several_causes_at_once_are_told_apart_by_the_price_list(seed: int) -> None:
    found = [(one, by_list(one)) for one in mixed(seed, 300)]
    pairs = [(of_weight(one.worth), of_weight(dict(told.parts))) for one, told in found]
    scores = []
    for cause in ("weight", "dimensions", "zone", "residential"):
        hit = sum(cause in truth and cause in told for truth, told in pairs)
        scores.append(2 * hit / sum((cause in truth) + (cause in told) for truth, told in pairs))
    assert sum(scores) / len(scores) >= 0.9, scores
    mains = [(max(one.worth, key=lambda each: one.worth[each]), told.main or "none") for one, told in found]
    assert macro_f1(mains) >= 0.9
    for one, told in found:
        assert told.gap == one.invoiced - one.bought
    off = sorted(
        sum(abs(one.worth.get(cause, 0) - minor) for cause, minor in told.parts) / told.gap for one, told in found
    )
    assert off[len(off) // 2] < 0.1


def price_by_weight_and_zone(measured: Measures) -> int:
    assert measured.grams is not None
    return measured.grams // 10 + 100 * int(measured.zone)


def told_of(invoiced: int, **known: Any) -> tuple[tuple[str, int], ...]:
    """A label bought at 4.00 and planned at 2 kg for zone 2, found at 4 kg in a home."""
    return attribute(
        Evidence(
            quoted=400,
            bought=400,
            invoiced=invoiced,
            planned=Measures(2_000, None, None, "2", residential=False),
            captured=Measures(4_000, None, None, "2", residential=True),
            **known,
        )
    ).parts


def test_two_unnamed_differences_are_shared_out_by_the_price_list() -> None:
    assert told_of(900, price_of=price_by_weight_and_zone) == (("residential", 300), ("weight", 200))
    assert told_of(895, price_of=price_by_weight_and_zone, home_fee=295) == (("residential", 295), ("weight", 200))


def test_a_measure_that_was_not_billed_gets_no_part() -> None:
    assert told_of(600, price_of=price_by_weight_and_zone, home_fee=295) == (("weight", 200),)
    assert told_of(695, price_of=price_by_weight_and_zone, home_fee=295) == (("residential", 295),)


def test_what_the_list_does_not_explain_by_far_is_something_else() -> None:
    parts = told_of(3_400, price_of=price_by_weight_and_zone, home_fee=295)
    assert parts == (("other", 2_505), ("residential", 295), ("weight", 200))


def test_without_a_list_all_goes_to_what_is_likeliest() -> None:
    assert told_of(900) == (("weight", 500),)
    assert told_of(900, price_of=lambda measured: None) == (("weight", 500),)


sides = st.integers(50, 900)


@given(
    st.integers(1, 20_000),
    st.tuples(st.integers(100, 20_000), st.tuples(sides, sides, sides), st.sampled_from("1234"), st.booleans()),
    st.tuples(st.integers(100, 20_000), st.tuples(sides, sides, sides), st.sampled_from("1234"), st.booleans()),
    st.one_of(st.none(), st.integers(0, 900)),
    st.integers(1, 20_000),
)
def test_parts_by_a_price_list_add_up_whatever_was_measured(
    bought: int, said: tuple[Any, ...], seen: tuple[Any, ...], fee: int | None, invoiced: int
) -> None:
    def listed(measured: Measures) -> int:
        assert measured.size is not None
        volume = measured.size[0] * measured.size[1] * measured.size[2] // 5_000
        return max(measured.grams or 0, volume) // 7 + 90 * int(measured.zone)

    planned, captured = (Measures(grams, size, None, zone, home) for grams, size, zone, home in (said, seen))
    found = attribute(
        Evidence(bought, bought, invoiced, planned=planned, captured=captured, price_of=listed, home_fee=fee)
    )
    assert found.gap == invoiced - bought


def test_nothing_differs_where_nothing_was_added() -> None:
    assert attribute(Evidence(700, 700, 700)).main is None


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("Address correction surcharge", "address_correction"),
        ("Delivery Area Surcharge Residential", "surcharge"),
        ("Residential surcharge", "residential"),
        ("Dimensional weight", "dimensions"),
        ("Zone 4 to 7, weight unchanged", "zone"),
        ("Correction", None),
    ],
)
def test_a_carriers_word_names_the_cause(word: str, cause: str | None) -> None:
    assert by_word(word) == cause
