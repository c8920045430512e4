"""Rules: the draft or what is live in order, one rule as a form, what a draft would change, and earlier versions."""

from __future__ import annotations

from typing import Any

from anyio import to_thread

from connector.http.desk import rule_form
from connector.http.desk.house import DeskHouse
from connector.http.desk.names import names_of_actors
from connector.http.desk.page import Answer, Ask, Complaint, Goto, Page, View
from connector.managing import rules as managing
from connector.managing.rules import BadRules, NoDraft
from connector.managing.settings import NoSuchVersion
from connector.rules import kinds
from connector.rules.ruleset import RuleSet
from connector.shop_settings import SettingsError
from connector.storage.settings_versions import StaleSettings

_PAST = 1000
_ROWS = 30


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The rules in their order; the draft's where there is one."""
    return await _list(house, ask)


async def _list(house: DeskHouse, ask: Ask, complaint: Complaint | None = None) -> View:
    rules, is_draft = await _rules(house, ask)
    values = {
        "rows": [(number, rule, *rule_form.said(rule)) for number, rule in enumerate(rules.rules)],
        "is_draft": is_draft,
        "rules": rules,
        "findings": managing.check(ask.shop, rules, ask.now),
        "version": ask.shop.quoting.settings_version,
    }
    return View("rules.html", values, complaint)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Move, switch or remove a rule in the draft; publish it, or throw it away."""
    here, do = f"{ask.base}/rules", ask.typed.get("do", "")
    try:
        if do == "publish":
            await managing.publish_draft(
                house.database, house.clock, ask.shop, ask.actor, clock_is_moved=house.clock_is_moved
            )
            return Goto(here, done="rules.published")
        if do == "drop":
            await managing.drop_draft(house.database, house.clock, ask.shop, ask.actor)
            return Goto(here, done="rules.dropped")
        rules, _ = await _rules(house, ask)
        at = _number(ask.typed.get("at", ""))
        changed = None if at is None or at >= len(rules.rules) else _moved(rules, at, do)
        if changed is None:
            return await _list(house, ask, Complaint("form.unknown"))
        await managing.save_draft(house.database, house.clock, ask.shop, changed, ask.actor)
        return Goto(here, done="rules.drafted")
    except NoDraft:
        return await _list(house, ask, Complaint("rules.no_draft"))
    except StaleSettings:
        return await _list(house, ask, Complaint("settings.stale"))
    except (BadRules, SettingsError) as error:
        return await _list(house, ask, Complaint(text=error.message))


async def show_one(house: DeskHouse, ask: Ask) -> Answer:
    """One rule as a form (`at`), or a new one; `when` and `then` add an empty condition or action."""
    rules, _ = await _rules(house, ask)
    at = _number(ask.query.get("at", ""))
    known = at is not None and at < len(rules.rules)
    body = rules.rules[at].model_dump(mode="json") if known and at is not None else {"name": "", "when": [], "then": []}
    return _one(ask, body, at if known else None)


def _one(ask: Ask, body: dict[str, Any], at: int | None, complaint: Complaint | None = None) -> View:
    values = {
        "at": at,
        "rule": body,
        "when": rule_form.parts(body, "when", ask.query.get("when", "")),
        "then": rule_form.parts(body, "then", ask.query.get("then", "")),
        "conditions": [(each.name, f"{each.name}: {each.help}") for each in kinds.conditions()],
        "actions": [(each.name, f"{each.name}: {each.help}") for each in kinds.actions()],
    }
    return View("rules_one.html", values, complaint)


async def keep_one(house: DeskHouse, ask: Ask) -> Answer:
    """Put the rule into the draft, in its place or at the end."""
    rules, _ = await _rules(house, ask)
    at = _number(ask.typed.get("at", ""))
    body: dict[str, Any] = {"name": "", "when": [], "then": []}
    try:
        body = rule_form.read(ask.typed)
        whole = managing.dump_rules(rules)
        listed = list(whole.get("rules", []))
        if at is None or at >= len(listed):
            at = None
            listed.append(body)
        else:
            listed[at] = body
        changed = managing.read_rules({**whole, "rules": listed})
    except BadRules as error:
        fault = error.faults[0]
        return _one(ask, body, at, Complaint(text=error.message, field=rule_form.field_of(fault)))
    await managing.save_draft(house.database, house.clock, ask.shop, changed, ask.actor)
    return Goto(f"{ask.base}/rules", done="rules.drafted")


async def show_diff(house: DeskHouse, ask: Ask) -> Answer:
    """What the draft would have answered to past carts."""
    rules, is_draft = await _rules(house, ask)
    found = await to_thread.run_sync(managing.diff, house.database, ask.shop, rules, _PAST) if is_draft else None
    offers = [] if found is None else [(code, how, count) for (code, how), count in found.offers.most_common(_ROWS)]
    return View("rules_diff.html", {"found": found, "offers": offers, "most": _PAST})


async def show_history(house: DeskHouse, ask: Ask) -> Answer:
    """The versions that changed the rules."""
    return await _history(house, ask)


async def _history(house: DeskHouse, ask: Ask, complaint: Complaint | None = None) -> View:
    found = await house.database.run(managing.history, ask.shop.id)
    names = await house.database.run(names_of_actors, house.keyring, [each.actor for each in found])
    rows = [(each, names[each.actor]) for each in found]
    return View("rules_history.html", {"rows": rows, "latest": ask.shop.quoting.settings_version}, complaint)


async def restore(house: DeskHouse, ask: Ask) -> Answer:
    """Bring the rules of a version back, as a new one."""
    wanted, based_on = (_number(ask.typed.get(name, "")) for name in ("restore", "version"))
    if wanted is None:
        return await _history(house, ask, Complaint("form.unknown"))
    try:
        await managing.restore_rules(
            house.database,
            house.clock,
            ask.shop,
            wanted,
            ask.actor,
            clock_is_moved=house.clock_is_moved,
            based_on=based_on,
        )
    except StaleSettings:
        return await _history(house, ask, Complaint("settings.stale"))
    except (BadRules, SettingsError, NoSuchVersion) as error:
        return await _history(house, ask, Complaint(text=error.message))
    return Goto(f"{ask.base}/rules/history", done="rules.restored", n=wanted)


async def _rules(house: DeskHouse, ask: Ask) -> tuple[RuleSet, bool]:
    """The draft's rules, else the live ones; a draft that this release cannot read is as if it were not there."""
    try:
        found = await managing.draft_of(house.database, ask.shop)
    except BadRules:
        found = None
    return (found[1], True) if found is not None else (ask.shop.settings.rules, False)


def _moved(rules: RuleSet, at: int, do: str) -> RuleSet | None:
    listed = list(rules.rules)
    match do:
        case "up" if at > 0:
            listed[at - 1], listed[at] = listed[at], listed[at - 1]
        case "down" if at + 1 < len(listed):
            listed[at + 1], listed[at] = listed[at], listed[at + 1]
        case "switch":
            listed[at] = listed[at].model_copy(update={"enabled": not listed[at].enabled})
        case "remove":
            del listed[at]
        case _:
            return None
    return rules.model_copy(update={"rules": tuple(listed)})


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


PAGES = (
    Page("/rules", "rules", "owner", show, act),
    Page("/rules/one", "rules", "owner", show_one, keep_one),
    Page("/rules/diff", "rules", "owner", show_diff),
    Page("/rules/history", "rules", "owner", show_history, restore),
)
