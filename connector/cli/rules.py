"""The command `rules`: kinds, drafts, what would change, publishing, and earlier versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from anyio import to_thread

from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.cli.quotes import diff_data, diff_lines
from connector.managing import rules as managing
from connector.managing.rules import NoDraft, RulesVersion
from connector.quotes.compare import Compared
from connector.rules import kinds
from connector.rules.lint import Finding
from connector.rules.ruleset import RuleSet
from connector.storage.audit import Actor
from connector.wiring import House

_BY_COMMAND = Actor("command", "waybill")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def add_to(group: click.Group) -> None:
    """Register the commands."""

    @click.group("rules")
    def rules() -> None:
        """What a shop's rules are: drafts, checks, what they would change, versions."""

    group.add_command(rules)
    _add_kinds(rules)
    _add_drafts(rules)
    _add_looks(rules)
    _add_versions(rules)


def _add_kinds(rules: click.Group) -> None:
    @command(rules, "kinds")
    def every_kind(speaker: Speaker) -> None:
        """List the kinds of conditions and actions with their arguments."""
        found = [("condition", each) for each in kinds.conditions()] + [("action", each) for each in kinds.actions()]
        data = [
            {
                "kind": each.name,
                "of": of,
                "help": each.help,
                "arguments": [
                    {"name": a.name, "type": a.takes, "many": a.many, "required": a.required, "help": a.description}
                    for a in each.arguments
                ],
            }
            for of, each in found
        ]
        lines = [f"{of} {each.name}: {each.help}" for of, each in found]
        speaker.answer({"kinds": data}, lines)


def _add_drafts(rules: click.Group) -> None:
    @command(rules, "show")
    @click.argument("shop")
    @click.option("--draft", is_flag=True, help="The draft instead of what is live.")
    def show(speaker: Speaker, shop: str, draft: bool) -> None:
        """Print a shop's rules as JSON, as `rules draft` takes them."""
        body = in_house(lambda house: _show(house, shop, draft))
        speaker.answer({"rules": body}, [json.dumps(body, indent=2, ensure_ascii=False)])

    @command(rules, "draft")
    @click.argument("shop")
    @click.argument("file", required=False, type=_FILE)
    @click.option("--drop", is_flag=True, help="Throw the draft away.")
    def draft(speaker: Speaker, shop: str, file: Path | None, drop: bool) -> None:
        """Keep a JSON file as the shop's draft. What does not validate is refused, and nothing changes."""
        if drop == bool(file):
            raise click.UsageError("name a file, or --drop.")
        if file is None:
            gone = in_house(lambda house: _drop(house, shop))
            speaker.answer({"dropped": gone}, ["The draft is gone." if gone else "There was no draft."])
            return
        wanted = managing.read_rules(file.read_text(encoding="utf-8"))
        found = in_house(lambda house: _save(house, shop, wanted))
        text = f"The draft holds {len(wanted.rules)} rules. It is not live: `waybill rules publish` makes it so."
        speaker.answer({"rules": len(wanted.rules), "findings": _data(found)}, [text, *_lines(found)])


def _add_looks(rules: click.Group) -> None:
    @command(rules, "check")
    @click.argument("shop")
    @click.argument("file", required=False, type=_FILE)
    def check(speaker: Speaker, shop: str, file: Path | None) -> None:
        """Look for what is probably wrong in a file, else in the draft, else in what is live."""
        found = in_house(lambda house: _check(house, shop, _read(file)))
        speaker.answer({"findings": _data(found)}, _lines(found) or ["Nothing was found."])
        if any(each.severity == "error" for each in found):
            raise SystemExit(1)

    @command(rules, "diff")
    @click.argument("shop")
    @click.argument("file", required=False, type=_FILE)
    @click.option("--last", default=5000, show_default=True, type=click.IntRange(1), help="How many past answers.")
    def diff(speaker: Speaker, shop: str, file: Path | None, last: int) -> None:
        """Answer past carts again under a file's rules, or the draft's: how many change, and by how much."""
        compared = in_house(lambda house: _diff(house, shop, _read(file), last))
        speaker.answer(diff_data(compared), diff_lines(compared))


def _add_versions(rules: click.Group) -> None:
    @command(rules, "publish")
    @click.argument("shop")
    def publish(speaker: Speaker, shop: str) -> None:
        """Make the draft live as a new settings version."""
        version = in_house(lambda house: _publish(house, shop))
        speaker.answer({"version": version}, [f"The draft is live as version {version}."])

    @command(rules, "history")
    @click.argument("shop")
    def history(speaker: Speaker, shop: str) -> None:
        """The versions that changed the rules, newest first."""
        found = in_house(lambda house: _history(house, shop))
        data = [
            {"version": each.version, "at": each.at, "by": str(each.actor.name), "rules": len(each.rules.rules)}
            for each in found
        ]
        lines = [
            f"Version {each.version}, {each.at:%Y-%m-%d %H:%M} UTC, {each.actor.name}: {len(each.rules.rules)} rules"
            for each in found
        ]
        speaker.answer({"versions": data}, lines or ["No version is there yet."])

    @command(rules, "restore")
    @click.argument("shop")
    @click.argument("version", type=click.IntRange(1))
    def restore(speaker: Speaker, shop: str, version: int) -> None:
        """Make the rules of an earlier version live again, as a new version."""
        new = in_house(lambda house: _restore(house, shop, version))
        speaker.answer({"version": new}, [f"The rules of version {version} are live again as version {new}."])


async def _draft(house: House, reference: str) -> RuleSet | None:
    found = await managing.draft_of(house.database, named_shop(house, reference))
    return None if found is None else found[1]


async def _show(house: House, reference: str, draft: bool) -> dict[str, Any]:
    rules = await _draft(house, reference) if draft else named_shop(house, reference).settings.rules
    if rules is None:
        raise NoDraft("There is no draft.", detail=reference)
    return managing.dump_rules(rules)


async def _save(house: House, reference: str, rules: RuleSet) -> list[Finding]:
    return await managing.save_draft(house.database, house.clock, named_shop(house, reference), rules, _BY_COMMAND)


async def _drop(house: House, reference: str) -> bool:
    return await managing.drop_draft(house.database, house.clock, named_shop(house, reference), _BY_COMMAND)


def _read(file: Path | None) -> RuleSet | None:
    return None if file is None else managing.read_rules(file.read_text(encoding="utf-8"))


async def _check(house: House, reference: str, wanted: RuleSet | None) -> list[Finding]:
    shop = named_shop(house, reference)
    rules = wanted or await _draft(house, reference)
    return managing.check(shop, shop.settings.rules if rules is None else rules, house.clock.now())


async def _diff(house: House, reference: str, wanted: RuleSet | None, last: int) -> Compared:
    rules = wanted or await _draft(house, reference)
    if rules is None:
        raise NoDraft("There is no draft; name a file.", detail=reference)
    return await to_thread.run_sync(managing.diff, house.database, named_shop(house, reference), rules, last)


async def _publish(house: House, reference: str) -> int:
    moved = house.settings.test_clock is not None
    shop = named_shop(house, reference)
    return await managing.publish_draft(house.database, house.clock, shop, _BY_COMMAND, clock_is_moved=moved)


async def _history(house: House, reference: str) -> list[RulesVersion]:
    return await house.database.run(managing.history, named_shop(house, reference).id)


async def _restore(house: House, reference: str, version: int) -> int:
    moved = house.settings.test_clock is not None
    shop = named_shop(house, reference)
    return await managing.restore_rules(
        house.database, house.clock, shop, version, _BY_COMMAND, clock_is_moved=moved
    )  # fmt: skip


def _data(found: list[Finding]) -> list[dict[str, str]]:
    return [{"path": each.path, "severity": each.severity, "text": each.what.say()} for each in found]


def _lines(found: list[Finding]) -> list[str]:
    return [f"{each.severity} at {each.path}: {each.what.say()}" for each in found]
