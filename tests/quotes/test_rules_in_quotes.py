"""What rules make of a whole decision: options without carriers, refusals, marks, and how long an answer holds."""

from __future__ import annotations

from typing import Any

import pytest

from connector import shop_settings
from connector.quotes.decide import decide
from tests.quotes.world import NOW, answered, cart, facts, line, rate, settings

PICK_UP = {"kind": "add_rate", "code": "shop", "name": "Pick up", "amount": "0", "currency": "EUR"}


def with_rules(*rules: dict[str, Any], **changes: Any) -> Any:
    """Facts with these rules, and settings as they are typed."""
    named = [{"name": f"rule {number}", **rule} for number, rule in enumerate(rules)]
    typed = settings(**changes)
    return facts(shop_settings.load({**shop_settings.dump(typed), "rules": {"rules": named}}))


def test_an_own_option_stands_beside_the_carriers_and_is_bought_by_hand() -> None:
    decision = decide(cart(), with_rules({"then": [PICK_UP]}), [answered(rate(700))], NOW)
    own, carrier = decision.offers
    assert (own.code, own.name, own.minor) == ("shop", "Pick up", 0)
    assert own.bought_as is not None
    assert own.bought_as.how == "by_hand"
    assert carrier.bought_as is not None
    assert carrier.bought_as.how == "service"


def test_own_options_are_an_answer_where_there_are_no_carriers_and_not_where_they_failed() -> None:
    using = with_rules({"then": [PICK_UP]})
    assert [offer.code for offer in decide(cart(), using, [], NOW).offers] == ["shop"]
    failed = answered().but(state="failed")
    assert decide(cart(), using, [failed], NOW).outcome == "backup"


def test_goods_that_may_not_go_there_are_not_served() -> None:
    table = [{"items": {"ships": True}, "areas": [{"country": "AT"}, {"country": "US"}], "text": "The law"}]
    decision = decide(
        cart(), with_rules({"then": [{"kind": "refuse_goods", "table": table}]}), [answered(rate(700))], NOW
    )
    assert decision.outcome == "not_served"
    assert decision.why is not None
    assert decision.why.code == "goods_restricted"
    assert decision.withheld[-1].reason.code == "goods_restricted"


def test_what_rules_hide_is_told_and_hiding_all_serves_nobody() -> None:
    express = {"when": [{"kind": "service_in", "services": ["fake-express"]}], "then": [{"kind": "hide"}]}
    answers = [answered(rate(700), rate(1500, "Express"))]
    decision = decide(cart(), with_rules(express), answers, NOW)
    assert [offer.code for offer in decision.offers] == ["fake-ground"]
    assert [(each.service, each.reason.code) for each in decision.withheld] == [("Express", "hidden_by_rule")]
    nothing = decide(cart(), with_rules({"then": [{"kind": "hide"}]}), answers, NOW)
    assert nothing.outcome == "not_served"
    assert nothing.why is not None
    assert nothing.why.code == "all_hidden"


def test_marks_are_kept_with_the_offer() -> None:
    marks = [{"kind": "require_signature"}, {"kind": "hold_order", "reason": "New buyer"}]
    (offer,) = decide(cart(), with_rules({"then": marks}), [answered(rate(700))], NOW).offers
    assert dict(offer.marks) == {"signature": "anyone", "hold": "New buyer"}


def test_an_answer_holds_until_a_rule_on_the_moment_says_otherwise() -> None:
    always = decide(cart(), with_rules(), [answered(rate(700))], NOW).valid_until
    evening = [{"kind": "time_between", "start": "20:30", "end": "20:45"}]
    limited = decide(cart(), with_rules({"when": evening, "then": [PICK_UP]}), [answered(rate(700))], NOW).valid_until
    assert always is not None
    assert limited is not None
    assert NOW < limited < always


def test_a_safety_rate_is_free_above_a_threshold_of_its_class() -> None:
    typed = {"backup": "safety", "safety_rates": "Standard:standard:9.90", "threshold": "50.00:standard"}
    decision = decide(cart(line(price=5000)), facts(settings(**typed)), [answered().but(state="late")], NOW)
    assert [(offer.code, offer.minor, offer.source) for offer in decision.offers] == [("standard", 0, "safety")]


@pytest.mark.parametrize("ordered", ["price", "speed"])
def test_the_order_of_options_is_the_rules(ordered: str) -> None:
    answers = [answered(rate(700, transit_days=5), rate(1500, "Express", transit_days=1))]
    decision = decide(cart(), with_rules({"then": [{"kind": "sort", "by": ordered}]}), answers, NOW)
    assert decision.offers[0].code == ("fake-express" if ordered == "speed" else "fake-ground")


def test_why_a_rule_did_not_apply_is_found_again_for_who_asks() -> None:
    using = with_rules({"when": [{"kind": "po_box"}], "then": [{"kind": "hide"}]})
    assert decide(cart(), using, [answered(rate(700))], NOW).passed_rules == ()
    told = dict(decide(cart(), using, [answered(rate(700))], NOW, with_passed=True).passed_rules)
    assert told["rule 0"].code == "condition_not_met"
