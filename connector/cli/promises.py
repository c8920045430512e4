"""Commands about dates: cut-offs, carriers' days, days off, the transit table, and which promises were kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from connector.cli.naming import named_shop
from connector.cli.output import BY_COMMAND, Speaker, command, in_house
from connector.insight.kept_dates import Kept, KeptReport, kept_report
from connector.insight.punctuality import hold_against
from connector.managing.dates import change_dates, findings_of
from connector.promises import edit
from connector.promises.settings import PromiseSettings, write_cut_offs
from connector.promises.transit_table import read_transit, write_transit
from connector.promises.window import Goods, Promises, Service, Spot, zone_of
from connector.wiring import House
from webhooks.errors import WaybillError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])
Change = Callable[[PromiseSettings], PromiseSettings]


def add_to(group: click.Group) -> None:
    """Register the commands."""
    promise = click.Group("promise", help="The days of arrival: what they rest on, and whether they were kept.")
    group.add_command(promise)
    _calendar_commands(promise)
    _table_commands(promise)
    _looking_commands(promise)


def _calendar_commands(promise: click.Group) -> None:
    @command(promise, "cut-off")
    @click.argument("shop")
    @click.argument("times")
    @click.option("--location", default="", help="A location's id, ours or the store's; default: every one not named.")
    @click.option("--timezone", default="", help="Its time zone; default: the shop's.")
    @click.option("--handling", type=click.IntRange(0, 365), help="Working days that packing takes there.")
    def cut_off(speaker: Speaker, shop: str, times: str, location: str, timezone: str, handling: int | None) -> None:
        """Say until when an order leaves the same day: 14:00, or "mon-fri=14:00 sat=11:00"; "" for no cut-off."""

        def change(settings: PromiseSettings) -> PromiseSettings:
            return edit.set_cut_off(settings, location, times, timezone, handling)

        _tell(speaker, *in_house(lambda house: _change(house, shop, change)))

    @command(promise, "carrier")
    @click.argument("shop")
    @click.argument("name")
    @click.option("--service", default="", help="Only this service of the carrier.")
    @click.option("--pickup", default="", help="Days on which it collects, such as mon-fri or mon,wed,fri.")
    @click.option("--pickup-at", default="", help="When it collects, such as 16:30, in the location's time zone.")
    @click.option("--delivers", default="", help="Days on which it delivers, such as mon-sat or daily.")
    @click.option("--basis", type=click.Choice(["working", "calendar"]), help="What its days of transit are.")
    @click.option("--holidays/--no-holidays", default=True, help="Whether it rests on public holidays.")
    @click.option("--remove", is_flag=True, help="Forget what was said of it.")
    def carrier(speaker: Speaker, shop: str, name: str, **given: Any) -> None:
        """Say on which days a carrier collects and delivers."""
        remove = given.pop("remove")

        def change(settings: PromiseSettings) -> PromiseSettings:
            if remove:
                return edit.drop_carrier(settings, name, given["service"])
            return edit.set_carrier(settings, given | {"name": name, "basis": given["basis"] or ""})

        _tell(speaker, *in_house(lambda house: _change(house, shop, change)))

    @command(promise, "closed")
    @click.argument("shop")
    @click.argument("first", type=_DAY)
    @click.argument("last", type=_DAY, required=False)
    @click.option("--location", default="", help="Only this location is closed.")
    @click.option("--carrier", default="", help="Not the shop but this carrier is closed.")
    @click.option("--why", default="", help="For whoever reads the list.")
    @click.option("--remove", is_flag=True, help="Take these days out again.")
    def closed(
        speaker: Speaker, shop: str, first: datetime, last: datetime | None, *, remove: bool, **given: Any
    ) -> None:
        """Close from one day to another, besides public holidays."""

        def change(settings: PromiseSettings) -> PromiseSettings:
            days = {"first": first.date(), "last": (last or first).date()}
            if remove:
                return edit.drop_closed(settings, **days, location=given["location"], carrier=given["carrier"])
            return edit.set_closed(settings, given | days)

        _tell(speaker, *in_house(lambda house: _change(house, shop, change)))


def _table_commands(promise: click.Group) -> None:
    @command(promise, "import")
    @click.argument("shop")
    @click.argument("file", type=_FILE)
    def import_table(speaker: Speaker, shop: str, file: Path) -> None:
        """Replace the transit table by a CSV file; with a fault nothing is changed."""
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise WaybillError("The file is not in UTF-8.", detail=str(file)) from error
        sheet = read_transit(text)

        def change(settings: PromiseSettings) -> PromiseSettings:
            return settings if sheet.faults else edit.set_transit(settings, sheet.lines)

        version, after = in_house(lambda house: _change(house, shop, change))[:2]
        faults = [{"line": each.line, "field": each.field, "text": each.message} for each in sheet.faults]
        said = [f"Nothing was changed: the file has {len(faults)} fault(s).", *(f"  {each}" for each in sheet.faults)]
        data = {"version": version, "lines": len(after.transit), "faults": faults}
        speaker.answer(data, said if faults else [f"Version {version}: {len(after.transit)} lines."])
        if faults:
            raise SystemExit(1)

    @command(promise, "export")
    @click.argument("shop")
    @click.option("--out", type=_OUT, help="File to write; default: the screen.")
    def export_table(speaker: Speaker, shop: str, out: Path | None) -> None:
        """Give the transit table as CSV; importing it again changes nothing."""
        after = in_house(lambda house: _change(house, shop, lambda settings: settings))[1]
        text = write_transit(after.transit)
        if out is not None:
            out.write_text(text, encoding="utf-8")
        elif not speaker.as_json:
            click.echo(text, nl=False)
            return
        data = {"lines": len(after.transit), "out": None if out is None else str(out)}
        speaker.answer(data | {"file": None if out else text}, [f"Wrote {len(after.transit)} lines to {out}."])


def _looking_commands(promise: click.Group) -> None:
    @command(promise, "show")
    @click.argument("shop")
    def show(speaker: Speaker, shop: str) -> None:
        """Show what dates rest on, and what may be wrong with it."""
        _tell(speaker, *in_house(lambda house: _change(house, shop, lambda settings: settings)))

    @command(promise, "try")
    @click.argument("shop")
    @click.option("--country", required=True, help="Where it goes: two letters.")
    @click.option("--province", default="", help="Province or state.")
    @click.option("--postal", default="", help="Postal code.")
    @click.option("--carrier", default="", help="The carrier's name.")
    @click.option("--service", default="", help="The carrier's name of the service.")
    @click.option("--days", type=click.IntRange(0, 365), help="Days of transit that the carrier names.")
    @click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="When it is ordered, in UTC; default: now.")
    def try_one(speaker: Speaker, shop: str, at: datetime | None, **given: Any) -> None:
        """See the days that a parcel would be promised for."""
        moment = None if at is None else at.replace(tzinfo=UTC)
        data = in_house(lambda house: _try(house, shop, moment, given))
        speaker.answer(data, _try_lines(data))

    @command(promise, "kept")
    @click.argument("shop")
    @click.option("--days", default=90, show_default=True, type=click.IntRange(1, 800), help="How far to look back.")
    def kept(speaker: Speaker, shop: str, days: int) -> None:
        """Show how many parcels kept the days that their buyers were promised."""
        found = in_house(lambda house: _kept(house, shop, days))
        speaker.answer(kept_data(found), _kept_lines(found))


async def _change(house: House, reference: str, change: Change) -> tuple[int, PromiseSettings, list[dict[str, str]]]:
    shop = named_shop(house, reference)
    version, settings = await change_dates(house.database, house.clock, shop, change, BY_COMMAND)
    today = house.clock.now().astimezone(zone_of(shop.record.timezone)).date()
    notes = [
        {"severity": each.severity, "field": each.field, "text": each.why.say()}
        for each in findings_of(shop, settings, today)
    ]
    return version, settings, notes


async def _try(house: House, reference: str, at: datetime | None, given: dict[str, Any]) -> dict[str, Any]:
    shop = named_shop(house, reference)
    origin = shop.quoting.default_origin()
    if origin is None:
        raise WaybillError("The shop has no location to send from.", detail="default_location")
    address = origin.address
    start_at = Spot(address.country, address.province, address.postal_code)
    names = (origin.id, origin.external_id)
    promises = Promises(shop.settings.promises, shop.record.timezone, start_at, names)
    start = promises.start(at or house.clock.now(), shop.store.capabilities.rate_cache_s)
    service = Service(given["carrier"], given["service"], given["days"])
    to = Spot(given["country"].upper(), given["province"], given["postal"])
    window = promises.window(start, Goods(promises.handling_days), service, to)
    return {
        "counts_for": None if start.day is None else start.day.isoformat(),
        "cut_off": start.cut_off,
        "ships_on": None if window is None else window.ships_on.isoformat(),
        "earliest": None if window is None else window.earliest.isoformat(),
        "latest": None if window is None else window.latest.isoformat(),
        "by": None if window is None else window.by,
        "valid_until": start.until,
    }


def _try_lines(data: dict[str, Any]) -> list[str]:
    if data["earliest"] is None:
        return ["No day can be told: give --days, or a line of the transit table for this way."]
    days = data["earliest"] if data["earliest"] == data["latest"] else f"{data['earliest']} to {data['latest']}"
    basis = {"table": "your transit table", "carrier": "the carrier's days", "history": "your own deliveries"}
    return [
        f"It arrives {days}, by {basis[data['by']]}.",
        f"It leaves on {data['ships_on']}, if it is ordered before {data['cut_off']}.",
    ]


async def _kept(house: House, reference: str, days: int) -> KeptReport:
    shop = named_shop(house, reference)
    now = house.clock.now()
    await house.database.run(hold_against, shop, now)
    return await house.database.run(kept_report, shop.id, days, now)


def kept_data(found: KeptReport) -> dict[str, Any]:
    """The report as JSON has it."""
    return {
        "days": found.days,
        **_one(found.whole),
        "without_date": found.without_date,
        "under_way": found.under_way,
        "overdue": found.overdue,
        "restarted": found.restarted,
        "lanes": [
            {
                "carrier": each.carrier,
                "service": each.service,
                "from_country": each.from_country,
                "to_country": each.to_country,
                **_one(each),
            }
            for each in found.lanes
        ],
    }


def _one(each: Kept) -> dict[str, Any]:
    seen = each.by_history
    return {
        "parcels": each.parcels,
        "percent_kept": each.percent_kept,
        "on_time": each.on_time,
        "early": each.early,
        "late": each.late,
        "late_days": each.late_days,
        "by_history": seen,
        "percent_stated": round(each.stated / seen / 10, 1) if seen else None,
        "percent_history_kept": round(100 * each.history_kept / seen, 1) if seen else None,
    }


def _kept_lines(found: KeptReport) -> list[str]:
    if not found.whole.parcels:
        return [f"No parcel with a promised day arrived in {found.days} days."]
    whole = found.whole
    early = f"{whole.early} of them before the first"
    late = f"{whole.late} came {whole.late_days} days late together"
    lines = [f"{whole.percent_kept} % of {whole.parcels} parcels came by the last promised day; {early}, {late}."]
    lines += [
        f"  {each.carrier} {each.service} {each.from_country}-{each.to_country}:"
        f" {each.percent_kept} % of {each.parcels}, {each.late} late"
        for each in found.lanes
    ]
    if whole.by_history:
        stated, kept = whole.stated / whole.by_history / 10, 100 * whole.history_kept / whole.by_history
        lines.append(
            f"Of {whole.by_history} dates from your own deliveries {stated:.1f} % were stated, {kept:.1f} % kept."
        )
    return [*lines, f"{found.under_way} are under way, {found.overdue} of them behind their day."]


def _tell(speaker: Speaker, version: int, settings: PromiseSettings, notes: list[dict[str, str]]) -> None:
    body = settings.model_dump(mode="json", exclude={"transit"})
    data = {"version": version, **body, "transit_lines": len(settings.transit), "findings": notes}
    lines = [f"Version {version}"]
    for place in settings.locations:
        said = write_cut_offs(place.cut_offs) or "none"
        handling = "" if place.handling_days is None else f", {place.handling_days} working days of handling"
        zone = f", {place.timezone}" if place.timezone else ""
        lines.append(f"Cut-off of {place.location or 'every location'}: {said}{handling}{zone}")
    for each in settings.carriers:
        parts = [
            ("collects", each.pickup),
            ("at", each.pickup_at),
            ("delivers", each.delivers),
            ("days are", each.basis),
        ]
        known = ", ".join(f"{what} {value}" for what, value in parts if value) or "as the country works"
        rests = "" if each.holidays else ", also on public holidays"
        lines.append(f"{each.name} {each.service}".rstrip() + f": {known}{rests}")
    for off in settings.closed:
        who = off.carrier or off.location or "the shop"
        lines.append(f"Closed {off.first} to {off.last}: {who}{f' ({off.why})' if off.why else ''}")
    lines.append(
        f"{len(settings.transit)} lines in the transit table, {settings.handling_days} working days of handling."
    )
    speaker.answer(data, [*lines, *(f"  {each['severity']}, {each['field']}: {each['text']}" for each in notes)])
