"""A decision that is found again for a call that is alike is the one that would have been made anew."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from connector import shop_settings
from connector.quotes.answers import AccountAnswer
from connector.quotes.decide import decide
from connector.quotes.decision import Decision
from connector.quotes.facts import Facts
from connector.quotes.ledger import row_of as read_row
from connector.quotes.reduced import ReducedCart, ReducedTotals
from connector.quotes.replay import replay
from tests.quotes.world import NOW, answered, cart, facts, line, plain_store, rate, row_of, settings

PRICES = (answered(rate(700), rate(1500, "Express")), answered(rate(900, "Slow", "Other"), account_id="acc_2"))
RULES: dict[str, Any] = {
    "rules": [
        {
            "name": "Dear carts",
            "when": [{"kind": "subtotal_at_least", "amount": "50.00", "currency": "EUR"}],
            "then": [{"kind": "percent_change", "percent": "10"}],
        },
        {
            "name": "No express for many",
            "when": [{"kind": "quantity", "at_least": 6}],
            "then": [{"kind": "hide"}],
        },
        {"name": "Mornings", "when": [{"kind": "weekday_in", "days": ["mon"]}], "then": [{"kind": "free"}]},
        {
            "name": "Each item",
            "when": [{"kind": "subtotal_at_least", "amount": "80.00", "currency": "EUR"}],
            "then": [{"kind": "handling", "amount": "0.50", "currency": "EUR", "per": "item"}],
        },
    ]
}


def using(rules: dict[str, Any] | None, **changes: str) -> Facts:
    """Facts with these rules, as they are read from storage."""
    body = shop_settings.dump(settings(**changes))
    return facts(shop_settings.load(body | ({} if rules is None else {"rules": rules})))


def afresh(asked: ReducedCart, known: Facts, answers: tuple[AccountAnswer, ...], now: Any) -> Decision:
    """Decided from values that were never seen before, so that nothing can be found again."""
    return decide(
        ReducedCart.from_json(asked.to_json()),
        Facts.from_plain(json.loads(json.dumps(known.to_plain()))),
        [AccountAnswer.from_json(each.to_json()) for each in answers],
        now,
    )


ALL = using(RULES)
NO_HANDLING = using({"rules": RULES["rules"][:3]})
GUARDED = using(None, guard_tax="20", guard_cost_share="60", guard_share="10")
PLAIN = using(None)


@effort(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(100, 4000), st.integers(1, 8)), min_size=1, max_size=3),
    st.sampled_from([ALL, NO_HANDLING, GUARDED, PLAIN]),
    st.sampled_from(["EUR", "USD"]),
    st.sampled_from(["en", "de"]),
    st.integers(0, 400),
    st.booleans(),
)
def test_what_is_found_again_is_what_would_be_decided(
    goods: list[tuple[int, int]], known: Facts, currency: str, locale: str, hours: int, with_totals: bool
) -> None:
    lines = [line(400, price, quantity, variant_id=f"var_{n}") for n, (price, quantity) in enumerate(goods)]
    whole = sum(price * quantity for price, quantity in goods)
    totals = ReducedTotals(subtotal=whole, total=whole, tax="excluded") if with_totals else None
    asked = cart(*lines, currency=currency, locale=locale, totals=totals)
    now = NOW + timedelta(hours=hours)
    decide(asked, known, PRICES, now)
    assert decide(asked, known, PRICES, now) == afresh(asked, known, PRICES, now)


def test_carts_that_are_alike_share_their_offers() -> None:
    first = decide(cart(line(300, 1000)), NO_HANDLING, PRICES, NOW)
    second = decide(cart(line(350, 1100), line(20, 100, variant_id="var_2")), NO_HANDLING, PRICES, NOW)
    assert second.offers is first.offers


def test_a_row_that_an_earlier_build_wrote_names_the_plan_with_each_offer_and_is_the_same_when_replayed() -> None:
    store = plain_store()
    row = row_of(cart(), PLAIN, PRICES, store)
    body = row.decision.to_plain()
    for offer in body["offers"]:
        offer["plan_id"] = row.plan_id
    kept = type(
        "Kept", (), {name: getattr(row, name) for name in ("shop_id", "id", "at", "echo", "signature", "elapsed_ms")}
    )()
    kept.cart, kept.decision, kept.plan_id = row.cart.to_plain(), body, row.plan_id
    kept.answers = [each.to_plain() for each in row.answers]
    kept.answer_digest, kept.hold_key, kept.channel = row.digest, None, None
    read = read_row(kept, row.facts)
    assert read.decision == row.decision
    assert replay(read, lambda answer, echo: store.write_answer(answer, echo).body).same
