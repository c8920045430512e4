"""The command `settings`: what a merchant can set for a shop, shown and changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

from connector import shop_settings
from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.managing import settings as managing
from connector.shop_settings import SettingsError, ShopSettings
from connector.storage.audit import Actor
from connector.wiring import House

_BY_COMMAND = Actor("command", "waybill")


def add_to(group: click.Group) -> None:
    """Register the command."""

    @command(group, "settings")
    @click.argument("shop")
    @click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
    def settings(speaker: Speaker, shop: str, changes: tuple[str, ...]) -> None:
        """Show what is set for a shop, with defaults and reasons; with KEY=VALUE, change it.

        A change is all or nothing and makes a new version. An empty value (KEY=) goes back to the default.
        """
        version, shown = in_house(lambda house: _settings(house, shop, changes))
        rows = [
            {"key": s.key, "value": s.value, "default": s.default, "form": s.form, "reason": s.reason} for s in shown
        ]
        text = [f"Version {version}"]
        for each in shown:
            mark = "" if each.value == each.default else f"   (default: {each.default or 'none'})"
            text += [f"{each.key} = {each.value or 'none'}{mark}", f"    {each.form}. {each.reason}"]
        speaker.answer({"version": version, "settings": rows}, text)


async def _settings(house: House, reference: str, changes: tuple[str, ...]) -> tuple[int, list[shop_settings.Shown]]:
    version, settings = await change_settings(house, named_shop(house, reference).id, read_changes(changes))
    return version, shop_settings.show(settings)


def read_changes(lines: Iterable[str]) -> dict[str, str]:
    """`KEY=VALUE` parts or lines; empty ones and those that begin with # are passed over. Raises SettingsError."""
    pairs: dict[str, str] = {}
    for line in (each.strip() for each in lines):
        if not line or line.startswith("#"):
            continue
        key, sign, value = (part.strip() for part in line.partition("="))
        if not sign:
            raise SettingsError(f"{line} is not KEY=VALUE.", detail=key)
        if key in pairs:
            raise SettingsError(f"{key} is set twice.", detail=key)
        pairs[key] = value
    return pairs


async def change_settings(house: House, shop_id: str, changes: Mapping[str, str]) -> tuple[int, ShopSettings]:
    """Publish a version with these changes (none: nothing is published). Raises SettingsError; then nothing changed."""
    moved = house.settings.test_clock is not None
    shop = named_shop(house, shop_id)
    return await managing.change_settings(house.database, house.clock, shop, changes, _BY_COMMAND, clock_is_moved=moved)
