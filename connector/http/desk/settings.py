"""A shop's settings as a form, and their history: every version stays, and any can be brought back as a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector import shop_settings
from connector.http.desk.house import DeskHouse
from connector.http.desk.names import names_of_actors
from connector.http.desk.page import Answer, Ask, Complaint, Download, Goto, Page, View
from connector.managing.settings import change_settings, restore_settings
from connector.shop_settings import SettingsError, ShopSettings, Shown
from connector.storage import settings_versions
from connector.storage.settings_versions import SettingsVersion
from connector.words.spreadsheet import csv_bytes

GROUPS: Mapping[str, tuple[str, ...]] = {
    "money": (
        "mode", "buy", "buy_after", "daily_cap", "tolerance", "unpromised", "buy_up_to", "buy_countries",
        "buy_in_stock", "check_address", "verify_address", "bought_as", "fulfil_when", "store_notifies", "alert_mail",
    ),
    "prices": (
        "threshold", "markup_percent", "markup_fixed", "price_basis", "exchange_rates", "guard", "guard_share",
        "guard_cost_share", "guard_fee", "guard_adjustment", "guard_tax",
    ),
    "doubt": ("backup", "safety_rates", "learned_bound_percent", "learned_margin_percent"),
    "goods": (
        "default_location", "default_item_weight_g", "default_carton", "unsized", "unfit", "divisor",
        "price_per_billed_kg", "carrier_packing", "catalogue_fields",
    ),
    "storefront": (
        "storefront", "storefront_origins", "storefront_places", "storefront_key", "language", "wording",
    ),
    "paper": (
        "print_sheet", "print_slips", "slip_brand", "slip_color", "slip_note", "slip_inserts", "scan_to_pack",
    ),
    "dates": ("cut_off", "handling_days", "promise_coverage", "promise_history", "hide_not_sooner"),
    "customs": (
        "customs_signer", "customs_contents", "incoterm", "tax_numbers", "duties", "non_delivery", "paperless",
    ),
    "technical": ("soft_deadline_ms", "hard_deadline_ms", "hmac", "packing_effort"),
}  # fmt: skip
"""The order of the page; a key that no group names stands in the last."""

_AT_ONCE = 30


@dataclass(frozen=True, slots=True)
class Field:
    """One setting in the form. `options`: the values that it has to choose from, if it has a fixed few."""

    shown: Shown
    options: tuple[str, ...]


async def show(_house: DeskHouse, ask: Ask) -> Answer:
    """The form, as things stand."""
    return _page(ask)


def _page(ask: Ask, complaint: Complaint | None = None) -> View:
    values = {"groups": _groups(ask.shop.settings), "version": ask.shop.quoting.settings_version}
    return View("settings.html", values, complaint)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Publish what was changed; what is as it was is left alone."""
    version = ask.typed.get("version", "")
    based_on = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1
    now = {each.key: each.value for each in shop_settings.show(ask.shop.settings)}
    changes = {
        key: value
        for key, value in ask.typed.items()
        if key in now and _one_line(value) != _one_line(now[key])
    }  # fmt: skip
    try:
        await change_settings(
            house.database,
            house.clock,
            ask.shop,
            changes,
            ask.actor,
            clock_is_moved=house.clock_is_moved,
            based_on=based_on,
        )
    except settings_versions.StaleSettings:
        return _page(ask, Complaint("settings.stale"))
    except SettingsError as error:
        return _page(ask, Complaint(text=error.message, field=error.detail.partition(".")[0]))
    return Goto(f"{ask.base}/settings", done="settings.saved" if changes else "settings.same")


async def show_history(house: DeskHouse, ask: Ask) -> Answer:
    """Every version: who, when, and what changed."""
    before = ask.query.get("before", "")
    limit = 10_000 if ask.query.get("format") == "csv" else _AT_ONCE
    top = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None
    found = await house.database.run(settings_versions.history, ask.shop.id, 10_000)
    part = [each for each in found if top is None or each.version < top]
    names = await house.database.run(names_of_actors, house.keyring, [each.actor for each in part[:limit]])
    older = {each.version: each for each in found}
    rows = [(each, names[each.actor], _changes(each, older.get(each.version - 1))) for each in part[:limit]]
    if ask.query.get("format") == "csv":
        flat = [
            (each.version, each.at, who, key, before_, after)
            for each, who, changes in rows
            for key, before_, after in changes or [("", "", "")]
        ]
        return Download(
            csv_bytes(("version", "at", "by", "setting", "before", "after"), flat), "text/csv", "settings.csv"
        )
    more = rows[-1][0].version if len(part) > limit else None
    latest = found[0].version if found else 0
    return View("settings_history.html", {"rows": rows, "more": more, "latest": latest, "paged": top is not None})


async def restore(house: DeskHouse, ask: Ask) -> Answer:
    """Bring a version back, as a new one."""
    wanted, version = ask.typed.get("restore", ""), ask.typed.get("version", "")
    if not all(each.isascii() and each.isdigit() and len(each) < 10 for each in (wanted, version)):
        return await _history_with(house, ask, Complaint("form.unknown"))
    try:
        await restore_settings(
            house.database,
            house.clock,
            ask.shop,
            int(wanted),
            ask.actor,
            clock_is_moved=house.clock_is_moved,
            based_on=int(version),
        )
    except settings_versions.StaleSettings:
        return await _history_with(house, ask, Complaint("settings.stale"))
    return Goto(f"{ask.base}/settings/history", done="settings.restored", n=int(wanted))


async def _history_with(house: DeskHouse, ask: Ask, complaint: Complaint) -> Answer:
    page = await show_history(house, ask)
    return View(page.template, page.values, complaint) if isinstance(page, View) else page


def _groups(settings: ShopSettings) -> list[tuple[str, list[Field]]]:
    shown = {each.key: each for each in shop_settings.show(settings)}
    named = {key for keys in GROUPS.values() for key in keys}
    last = list(GROUPS)[-1]
    rest = tuple(key for key in shown if key not in named)
    return [
        (
            name,
            [
                Field(shown[key], _options(shown[key]))
                for key in (*keys, *(rest if name == last else ()))
                if key in shown
            ],
        )
        for name, keys in GROUPS.items()
    ]


def _options(shown: Shown) -> tuple[str, ...]:
    """A form such as `test | live` is a choice."""
    parts = tuple(part.strip() for part in shown.form.split("|"))
    plain = all(part.replace("_", "").isalpha() and part.islower() for part in parts)
    return parts if len(parts) > 1 and plain and shown.value in parts else ()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _changes(version: SettingsVersion, before: SettingsVersion | None) -> list[tuple[str, str, str]]:
    """What a version changed, as settings are typed. A version that this release cannot read shows no changes."""
    try:
        new = shop_settings.show(shop_settings.load(version.body))
        old = shop_settings.show(shop_settings.load(before.body if before else {}))
    except SettingsError:
        return []
    was = {each.key: each.value for each in old}
    return [(each.key, was.get(each.key, ""), each.value) for each in new if each.value != was.get(each.key)]


PAGES = (
    Page("/settings", "settings", "owner", show, act),
    Page("/settings/history", "settings", "owner", show_history, restore),
)
