"""An answer explained: the first sentence is the answer, one screen is enough, and no word of ours is in it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort

from connector.quotes.answers import KeptProblem
from connector.quotes.explain import explain
from connector.quotes.reduced import ReducedTotals
from tests.quotes.world import (
    answered,
    cart,
    facts,
    line,
    plain_store,
    rate,
    reduced_carts,
    refused,
    row_of,
    settings,
    some_answers,
    some_facts,
)

TYPED = re.compile(r"setting \w+|\(\w+…?\)")  # Columns and settings by the names that a merchant types.
INTERNAL = re.compile(
    r"None|\{|\}|gid:|_|minor|facts|answers|decision|problem|bought_as|held\b|JSON|HTTP|null|\bbackup:|carrier_error"
)


def lines(asked: Any = None, answers: Any = (), **changes: str) -> list[str]:
    return explain(row_of(asked or cart(), facts(settings(**changes)), tuple(answers), plain_store()))


@pytest.mark.parametrize(
    ("asked", "answers", "changes", "first"),
    [
        (cart(), [answered(rate(700), rate(900, "Express"))], {}, "The buyer saw 2 options, from 7.00 EUR."),
        (cart(), [answered(rate(700))], {"threshold": "5"}, "The buyer saw 1 option, free."),
        (
            cart(),
            [refused("no_service")],
            {},
            "The buyer was told that nothing can be shipped: No carrier goes there.",
        ),
        (
            cart(line(requires_shipping=False)),
            [],
            {},
            "The buyer was told that nothing can be shipped: Nothing in the cart needs shipping.",
        ),
        (
            cart(),
            [refused("timeout", state="late")],
            {},
            "The store's own backup rates were used: No carrier gave a price.",
        ),
        (
            cart(line(None, sku="AIR")),
            [],
            {},
            "The store's own backup rates were used: The weight of AIR is not known, and no default weight is set.",
        ),
        (
            cart(),
            [],
            {"backup": "safety", "safety_rates": "Post:post:6.90"},
            "The buyer saw 1 option, from 6.90 EUR. These are your safety rates: No carrier is connected.",
        ),
    ],
)  # fmt: skip
def test_the_first_sentence_is_the_answer(asked: Any, answers: Any, changes: dict[str, str], first: str) -> None:
    assert lines(asked, answers, **changes)[0] == first


def test_each_price_is_told_from_the_carrier_s_to_the_buyer_s() -> None:
    text = "\n".join(lines(None, [answered(rate(700))], markup_percent="10", threshold="50.00"))
    assert "  Fake Ground (fake-ground): 7.70 EUR\n    7.00 EUR  price of Fake\n    7.70 EUR  +10 %\n" in text
    assert "    Arrives on Friday 27 November.\n    Bought as Fake Ground." in text
    assert "Rule 'Free shipping threshold' did not apply: 40.00 EUR is missing to 50.00 EUR." in text


@pytest.mark.complaint(26)
def test_what_is_not_shown_is_listed_with_its_reason_and_the_carrier_s_own_words() -> None:
    problem = KeptProblem(account="ca_1", carrier="USPS", code="rate_refused", message="Over 70 lb.")
    answers = [
        answered(rate(700), rate(500, "Cheap", currency="USD"), problems=(problem,)),
        refused("timeout", account_id="acc_2", state="late"),
        answered(account_id="acc_3"),
    ]
    text = lines(None, answers)
    start = text.index("Not shown:")
    assert text[start + 1 : start + 5] == [
        "  Fake Cheap: The price of 5.00 USD is not in EUR, and no exchange rate is set.",
        '  USPS: The carrier refused to name a price. The carrier said: "Over 70 lb."',
        "  Fake: The carrier did not answer in time.",
        "  fake: The carrier named neither a price nor a reason.",
    ]


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        (None, "worth 10.00 EUR, to"),
        (ReducedTotals(subtotal=5000), "worth 50.00 EUR, to"),
        (ReducedTotals(subtotal=5000, discount=0), "worth 50.00 EUR after discounts, to"),
        (ReducedTotals(subtotal=5000, discount=500), "worth 45.00 EUR after discounts, to"),
    ],
)
@pytest.mark.complaint(22)
def test_discounts_are_spoken_of_only_where_the_store_named_them(totals: ReducedTotals | None, said: str) -> None:
    assert said in lines(cart(totals=totals), [answered(rate())])[2]


def five_lines_and_twelve_services(**changes: str) -> list[str]:
    asked = cart(*(line(None, sku=f"SKU-{n}", quantity=n + 1) for n in range(5)))
    rates = [rate(700 + n, f"Service {n}") for n in range(12)]
    others = [rate(999, f"Service {n}") for n in range(12)]
    answers = [
        answered(*rates),
        answered(*others, account_id="acc_2"),
        refused("timeout", account_id="acc_3", state="late"),
    ]
    return lines(asked, answers, **{"default_item_weight_g": "250"} | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"threshold": "500.00"},
        {"markup_percent": "10", "markup_fixed": "1.00", "threshold": "50.00"},
        {"default_carton": "300x200x150:180:700"},
        {"default_carton": "300x200x150:180:700", "markup_percent": "10", "threshold": "500.00"},
    ],
)
def test_five_lines_and_twelve_services_fit_one_screen(changes: dict[str, str]) -> None:
    text = five_lines_and_twelve_services(**changes)
    assert len(text) <= 40
    for number in range(12):
        assert any(f"(fake-service-{number})" in each for each in text)
    assert any(each == "Not shown:" for each in text)
    assert any(re.fullmatch(r"  … and \d+ more\.", each) for each in text)


def test_what_fits_the_screen_is_told_whole() -> None:
    text = lines(cart(line(None), line(None, sku="POT")), [answered(rate())], default_item_weight_g="250")
    assert not any("more." in each for each in text)


@effort(max_examples=60, deadline=None)
@given(reduced_carts(), some_facts, some_answers())
def test_whatever_was_answered_can_be_explained_without_a_word_of_ours(asked: Any, using: Any, answers: Any) -> None:
    plain = asked.but(
        lines=tuple(each.but(sku="MUG", name="Mug") for each in asked.lines),
        destination=asked.destination and asked.destination.but(city="", postal_code=""),
    )
    quiet = tuple(each.but(problems=tuple(p.but(message="") for p in each.problems)) for each in answers)
    row = row_of(plain, using, quiet, plain_store())
    text = explain(row)
    assert text[0].endswith(".")
    assert text[-1].endswith(f"quote {row.id}.")
    for each in text[:-1]:
        assert not INTERNAL.search(TYPED.sub("", each.replace("EXPRESS_12", ""))), each
