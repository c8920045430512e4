"""The desk's pages on rules: a draft by forms, what is refused, what it would change, publishing, and restoring."""

from __future__ import annotations

import pytest

from connector.http.desk import rule_form
from connector.managing import rules as managing
from connector.managing.rules import BadRules
from connector.rules import kinds
from connector.rules.ruleset import RuleSet
from connector.storage.audit import Actor
from tests.http.desk.counter import Counter
from tests.rules.facts import rules_of
from tests.rules.test_actions import ACTIONS
from tests.rules.test_conditions import OF_CALLS, OF_SERVICES, ZONES

pytestmark = pytest.mark.anyio

RULE = {
    "at": "",
    "name": "Heavy things",
    "when.0.kind": "weight",
    "when.0.at_least_g": "2000",
    "then.0.kind": "round",
    "then.0.ending": "0.90",
    "then.0.direction": "up",
    "enabled": "yes",
    "stop": "no",
    "group": "",
}


async def test_rules_are_drafted_refused_ordered_published_and_brought_back(counter: Counter) -> None:
    anna = counter.desk.add_user("anna@example.com", "owner")
    here, house = f"{counter.desk.base}/rules", counter.house
    before = counter.shop.settings.rules
    async with counter.desk.signed_in(anna) as browser:
        page = await browser.open(f"{here}/one?when=weight&then=round")
        for part in ("when.0.at_least_g", "then.0.ending", "Grams from which it holds"):
            assert part in page.text, part
        refused = await browser.send({**RULE, "then.0.ending": "9"})
        assert refused.status_code == 422
        assert "ending is less than step" in refused.text
        assert await managing.draft_of(house.database, counter.shop) is None, "nothing was kept"
        await browser.open(f"{here}/one")
        page = await browser.follow(await browser.send(RULE))
        assert "This is a draft" in page.text
        assert (await counter.fresh()).settings.rules == before, "and nothing is live"
        await browser.open(f"{here}/one")
        await browser.follow(await browser.send({**RULE, "name": "Second"}))
        await browser.open(here)
        await browser.follow(await browser.send({"do": "up", "at": str(len(before.rules) + 1)}))
        found = await managing.draft_of(house.database, counter.shop)
        assert found is not None
        assert [each.name for each in found[1].rules][-2:] == ["Second", "Heavy things"]
        page = await browser.open(f"{here}/diff")
        assert page.status_code == 200
        await browser.open(here)
        await browser.follow(await browser.send({"do": "publish"}))
        assert [each.name for each in (await counter.fresh()).settings.rules.rules][-2:] == ["Second", "Heavy things"]
        await browser.open(f"{here}/history")
        version = counter.shop.quoting.settings_version
        await browser.follow(
            await browser.send({"do": "restore", "restore": str(version - 1), "version": str(version)})
        )
        assert (await counter.fresh()).settings.rules == before


async def test_a_draft_that_can_never_apply_is_shown_and_not_published(counter: Counter) -> None:
    shop, house = counter.shop, counter.house
    anna = counter.desk.add_user("anna@example.com", "owner")
    nowhere = [{"kind": "country_in", "countries": ["AT"]}, {"kind": "country_in", "countries": ["SK"]}]
    never = rules_of({"when": nowhere, "then": [{"kind": "hide"}]})
    async with counter.desk.signed_in(anna) as browser:
        await managing.save_draft(house.database, house.clock, shop, never, Actor("person", anna.id))
        page = await browser.open(f"{counter.desk.base}/rules")
        assert "can never apply" in page.text
        page = await browser.send({"do": "publish"})
        assert page.status_code == 422
        assert (await counter.fresh()).settings.rules == shop.settings.rules
        await browser.open(f"{counter.desk.base}/rules")
        await browser.follow(await browser.send({"do": "drop"}))
        assert await managing.draft_of(house.database, shop) is None


async def test_a_packer_sees_no_rules(counter: Counter) -> None:
    paul = counter.desk.add_user("paul@example.com", "packer")
    async with counter.desk.signed_in(paul) as browser:
        for path in ("", "/one", "/diff", "/history"):
            assert (await browser.client.get(f"{counter.desk.base}/rules{path}")).status_code == 403


def form_of(rules: RuleSet) -> dict[str, str]:
    """What a browser sends for the first rule of a set, unchanged."""
    body = rules.rules[0].model_dump(mode="json")
    typed = {"name": body["name"], "enabled": "yes", "stop": "no", "group": ""}
    for side in ("when", "then"):
        for part in rule_form.parts(body, side):
            typed[f"{part.path}.kind"] = part.kind.name
            typed |= {each.name: each.value for each in part.inputs}
    return typed


@pytest.mark.parametrize("number", range(len(ACTIONS)))
async def test_an_action_comes_back_from_its_form_as_it_was(number: int) -> None:
    rules = rules_of({"then": [ACTIONS[number][0]]})
    assert managing.read_rules({"rules": [rule_form.read(form_of(rules))]}) == rules


async def test_conditions_come_back_from_their_forms_as_they_were() -> None:
    for condition in [each for each, *_ in OF_CALLS] + [each for each, _ in OF_SERVICES]:
        rules = rules_of({"when": [condition], "then": [{"kind": "hide"}]}, zones=ZONES)
        again = managing.read_rules({"rules": [rule_form.read(form_of(rules))], "zones": ZONES})
        assert again == rules, condition


async def test_every_kind_has_a_form() -> None:
    for side, known in (("when", kinds.conditions()), ("then", kinds.actions())):
        for kind in known:
            (part,) = rule_form.parts({}, side, kind.name)
            assert len(part.inputs) >= len(kind.arguments)
            assert all(each.label and each.hint for each in part.inputs)


async def test_a_fault_is_shown_at_its_field() -> None:
    with pytest.raises(BadRules) as caught:
        managing.read_rules({"rules": [{"name": "r", "then": [{"kind": "percent_change", "percent": "1001"}]}]})
    (fault,) = caught.value.faults
    assert fault.path == "rules.0.then.0.percent_change.percent"
    assert rule_form.field_of(fault) == "then.0.percent"
