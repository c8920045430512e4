"""Why an invoice differs from the quote: the gap taken apart, measured on planted causes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.invoice import Measures
from connector.insight.gaps import CAUSES, Charge, Evidence, attribute, by_word
from tests.insight.planted import Box, Planted, planted


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


def test_two_unnamed_differences_are_shared_out_by_the_price_list() -> None:
    def price(grams: int, zone: str, home: bool) -> int:
        return grams // 10 + 100 * int(zone) + (300 if home else 0)

    found = attribute(
        Evidence(
            quoted=500,
            bought=500,
            invoiced=1_000,
            planned=Measures(2_000, None, None, "2", residential=False),
            captured=Measures(4_000, None, None, "2", residential=True),
            price_of=price,
        )
    )
    assert found.parts == (("residential", 300), ("weight", 200))


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
