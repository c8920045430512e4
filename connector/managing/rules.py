"""A shop's rules from draft to live: check, compare over past carts, publish as a version, bring a version back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from connector import shop_settings
from connector.directory import ShopEntry
from connector.managing import rule_drafts
from connector.managing.rule_drafts import Draft
from connector.managing.settings import NoSuchVersion, publish_settings
from connector.quotes.compare import Compared, compare
from connector.quotes.past import past_answers
from connector.rules.lint import Finding, lint
from connector.rules.ruleset import Fault, RuleSet, faults_of
from connector.shop_settings import SettingsError, ShopSettings
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.storage.database import Database
from webhooks.errors import WaybillError
from webhooks.ports import Clock


class BadRules(WaybillError):
    """A rule set that does not validate, or that the linter found an error in: nothing has changed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{first.path or 'rules'}: {first.text}.{more}".replace("..", "."), detail=first.path)
        self.faults = tuple(faults)


class NoDraft(WaybillError):
    """The shop has no draft of its rules."""


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """A settings version that changed the rules: what they say from then on, when and by whom."""

    version: int
    at: datetime
    actor: Actor
    rules: RuleSet


def read_rules(body: object) -> RuleSet:
    """A rule set from JSON (text, or already read). Raises BadRules with the path of each fault."""
    try:
        if isinstance(body, str | bytes):
            body = json.loads(body)
        return RuleSet.model_validate(body)
    except ValidationError as error:
        raise BadRules(faults_of(error)) from error
    except ValueError as error:
        raise BadRules([Fault("", f"this is not JSON ({error})")]) from error


def dump_rules(rules: RuleSet) -> dict[str, Any]:
    """A rule set as JSON: only what was said."""
    return rules.model_dump(mode="json")


async def draft_of(database: Database, shop: ShopEntry) -> tuple[Draft, RuleSet] | None:
    """The draft and what it says; None without one. Raises BadRules for one that this release cannot read."""
    found = await database.run(rule_drafts.load, shop.id)
    return None if found is None else (found, read_rules(found.body))


async def save_draft(database: Database, clock: Clock, shop: ShopEntry, rules: RuleSet, actor: Actor) -> list[Finding]:
    """Keep a draft; what the linter finds in it."""
    before = await database.run(rule_drafts.load, shop.id)
    based_on = shop.quoting.settings_version if before is None else before.based_on
    draft = Draft(dump_rules(rules), based_on, clock.now(), actor)
    await database.run(rule_drafts.save, shop.id, draft)
    return check(shop, rules, clock.now())


async def drop_draft(database: Database, clock: Clock, shop: ShopEntry, actor: Actor) -> bool:
    """Throw the draft away; False where there was none."""
    return await database.run(rule_drafts.drop, shop.id, actor, clock.now())


def check(shop: ShopEntry, rules: RuleSet, now: datetime) -> list[Finding]:
    """What the linter finds, the gravest first."""
    settings = shop.settings
    wording = {
        f"wording.{number}.{field}": text
        for number, each in enumerate(settings.storefront.wording)
        for field, text in (("name", each.name), ("description", each.description))
    }
    found = lint(rules, shop.record.currency, settings.exchange_rates, now.date(), wording)
    return sorted(found, key=lambda each: ("error", "warning", "note").index(each.severity))


def with_rules(settings: ShopSettings, rules: RuleSet) -> ShopSettings:
    """The settings with these rules in place of theirs. Raises SettingsError where they do not fit the rest."""
    return shop_settings.load({**shop_settings.dump(settings), "rules": dump_rules(rules)})


def diff(database: Database, shop: ShopEntry, rules: RuleSet, last: int) -> Compared:
    """Past carts answered again under these rules; carriers are not asked. Takes its time: call it in a thread."""
    return compare(past_answers(database, shop.id, limit=last), with_rules(shop.settings, rules))


async def publish_draft(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    actor: Actor,
    *,
    clock_is_moved: bool,
    based_on: int | None = None,
) -> int:
    """Make the draft live as a new settings version; the draft is then gone.

    Raises NoDraft, BadRules where the linter finds an error, and StaleSettings where the rules that hold now are not
    those that the draft began with, or the settings are not `based_on`, which the person looked at.
    """
    found = await draft_of(database, shop)
    if found is None:
        raise NoDraft("There is no draft.", detail=shop.id)
    draft, rules = found
    latest = shop.quoting.settings_version
    if draft.based_on != latest:
        began = await database.run(settings_versions.get, shop.id, draft.based_on)
        if began is not None and rules_of(began.body) != shop.settings.rules:
            raise settings_versions.StaleSettings(
                "The rules were changed since this draft was begun; look at them again.",
                detail=f"based on {draft.based_on}, latest is {latest}",
            )
    version = await publish_rules(database, clock, shop, rules, actor, clock_is_moved=clock_is_moved, based_on=based_on)
    await database.run(rule_drafts.drop, shop.id, actor, clock.now())
    return version


async def publish_rules(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    rules: RuleSet,
    actor: Actor,
    *,
    clock_is_moved: bool,
    based_on: int | None = None,
) -> int:
    """Make rules live as a new settings version. Raises BadRules where the linter finds an error."""
    errors = [each for each in check(shop, rules, clock.now()) if each.severity == "error"]
    if errors:
        raise BadRules([Fault(each.path, each.what.say().rstrip(".")) for each in errors])
    settings = with_rules(shop.settings, rules)
    return await publish_settings(
        database, clock, shop, settings, actor, clock_is_moved=clock_is_moved, based_on=based_on
    )


async def restore_rules(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    version: int,
    actor: Actor,
    *,
    clock_is_moved: bool,
    based_on: int | None = None,
) -> int:
    """Make an earlier version's rules live again, as a new version; other settings stay. Raises NoSuchVersion."""
    old = await database.run(settings_versions.get, shop.id, version)
    if old is None:
        raise NoSuchVersion("There is no such version.", detail=str(version))
    rules = shop_settings.load(old.body).rules
    return await publish_rules(database, clock, shop, rules, actor, clock_is_moved=clock_is_moved, based_on=based_on)


def history(connection: Connection, shop_id: str, most: int = 10_000) -> list[RulesVersion]:
    """The versions that changed the rules, newest first; one that this release cannot read is passed over."""
    found: list[RulesVersion] = []
    before: RuleSet | None = RuleSet()
    for each in reversed(settings_versions.history(connection, shop_id, most)):
        rules = rules_of(each.body)
        if rules is not None and (rules != before or not found):
            found.append(RulesVersion(each.version, each.at, each.actor, rules))
            before = rules
    return found[::-1]


def rules_of(body: Mapping[str, Any]) -> RuleSet | None:
    """The rules of a stored version; None where this release cannot read it."""
    try:
        return shop_settings.load(body).rules
    except SettingsError:
        return None
