"""Dates: cut-offs, carriers' days, days off, the transit table, and how many parcels kept what was promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Download, Goto, NotThere, Page, View
from connector.insight.kept_dates import kept_report
from connector.managing.dates import change_dates, findings_of
from connector.promises import edit
from connector.promises.edit import BadEntry
from connector.promises.settings import PromiseSettings, write_cut_offs
from connector.promises.transit_table import read_transit, write_transit
from connector.quotes.kept_windows import lane_sizes
from connector.shop_settings import SettingsError
from connector.storage.settings_versions import StaleSettings
from connector.words.spreadsheet import csv_bytes
from webhooks.errors import WaybillError

_DAYS = 90
_HEADER = ("carrier", "service", "from", "to", "parcels", "percent_kept", "on_time", "early", "late", "late_days")


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """Everything that dates rest on, and what became of them."""
    shop, settings = ask.shop, ask.shop.settings.promises
    if ask.query.get("format") == "transit":
        return Download(write_transit(settings.transit).encode(), "text/csv", "transit.csv")
    found = await house.database.run(kept_report, shop.id, _DAYS, ask.now)
    if ask.query.get("format") == "csv":
        rows = [
            (each.carrier, each.service, each.from_country, each.to_country, each.parcels, each.percent_kept or 0,
             each.on_time, each.early, each.late, each.late_days)
            for each in found.lanes
        ]  # fmt: skip
        return Download(csv_bytes(_HEADER, rows), "text/csv", "kept-dates.csv")
    sizes = await house.database.run(lane_sizes, shop.id)
    values: dict[str, Any] = {
        "settings": settings,
        "version": shop.quoting.settings_version,
        "times": [(each, write_cut_offs(each.cut_offs)) for each in settings.locations],
        "places": [("", ""), *((each.id, each.name or each.id) for each in shop.locations if each.active)],
        "names": {each.id: each.name for each in shop.locations},
        "findings": findings_of(shop, settings, ask.now.astimezone(ask.zone).date()),
        "table": write_transit(settings.transit) if settings.transit else "",
        "found": found,
        "days": _DAYS,
        "lanes": sum(parcels >= 30 for parcels in sizes.values()),
        "learning": len(sizes),
    }
    return View("dates.html", values)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Save a part; the whole is checked before it is published."""
    version = ask.typed.get("version", "")
    based_on = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1
    try:
        changed = _changed(ask, ask.shop.settings.promises)
        await change_dates(house.database, house.clock, ask.shop, lambda _: changed, ask.actor, based_on)
    except StaleSettings:
        return await _with(house, ask, Complaint("settings.stale"))
    except (SettingsError, WaybillError) as error:
        return await _with(house, ask, Complaint(text=error.message, field=_FIELD_OF.get(error.detail, error.detail)))
    return Goto(f"{ask.base}/dates", done="dates.saved")


_FIELD_OF = {"cut_off": "times", "cut_offs": "times", "handling_days": "handling", "closed": "first"}


def _changed(ask: Ask, settings: PromiseSettings) -> PromiseSettings:
    typed = {name: value.strip() for name, value in ask.typed.items()}
    match typed.get("do", ""):
        case "cut_off":
            handling = typed.get("handling", "")
            if handling and not (handling.isascii() and handling.isdigit() and len(handling) < 4):
                raise BadEntry("Handling takes whole working days.", detail="handling")
            days = int(handling) if handling else None
            return edit.set_cut_off(
                settings, typed.get("location", ""), typed.get("times", ""), typed.get("timezone", ""), days
            )
        case "carrier":
            names = ("name", "service", "pickup", "pickup_at", "delivers", "basis")
            body: dict[str, Any] = {name: typed.get(name, "") for name in names}
            return edit.set_carrier(settings, body | {"holidays": typed.get("holidays", "yes") == "yes"})
        case "drop_carrier":
            return edit.drop_carrier(settings, typed.get("name", ""), typed.get("service", ""))
        case "closed":
            body = {"first": typed.get("first", ""), "last": typed.get("last", "") or typed.get("first", "")}
            body |= {"location": typed.get("closed_at", ""), "carrier": typed.get("closed_carrier", "")}
            return edit.set_closed(settings, body | {"why": typed.get("why", "")})
        case "drop_closed":
            return edit.drop_closed(
                settings, _day(typed, "first"), _day(typed, "last"), typed.get("location", ""), typed.get("carrier", "")
            )
        case "transit":
            if not typed.get("table", ""):
                return edit.set_transit(settings, ())
            sheet = read_transit(ask.typed["table"])
            if sheet.faults:
                raise BadEntry(
                    " ".join(f"{str(each)[:1].upper()}{str(each)[1:]}" for each in sheet.faults[:20]), detail="table"
                )
            return edit.set_transit(settings, sheet.lines)
    raise NotThere


def _day(typed: dict[str, str], name: str) -> date:
    try:
        return date.fromisoformat(typed.get(name, ""))
    except ValueError as error:
        raise BadEntry("This is no day.", detail=name) from error


async def _with(house: DeskHouse, ask: Ask, complaint: Complaint) -> Answer:
    page = await show(house, replace(ask, query={}))
    return View(page.template, page.values, complaint) if isinstance(page, View) else page


PAGES = (Page("/dates", "dates", "owner", show, act),)
