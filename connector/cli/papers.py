"""Commands of the packing table: batches, prints, the logo, lists for carriers, drivers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from carriers.money import Money
from connector.cli.naming import named_shop
from connector.cli.output import BY_COMMAND, EXIT_FAILED, Speaker, command, in_house
from connector.labels import collect, logo
from connector.labels.local_time import zone_at
from connector.labels.paper.sheets import SHEETS
from connector.orders import batches, view
from connector.orders.batch_sheet import SHEET_HEADER, sheet_rows, with_names
from connector.orders.listing import OrderFilter
from connector.orders.print_set import What, plan_picks, plan_print, read_picks, read_print
from connector.orders.ship_many import read_rows, ship_row
from connector.wiring import House
from connector.words.reason import Reason
from connector.work.lease import worker_runs

_WHATS = {
    "all": What(),
    "papers": What(slips=False),
    "labels": What(slips=False, papers=False),
    "slips": What(labels=False, papers=False),
}


def add_to(group: click.Group) -> None:
    """Register the commands."""
    batch = click.Group("batch", help="Buy the labels of many orders at once.")
    leaving = click.Group("manifest", help="Lists of parcels for carriers at the end of the day.")
    pickup = click.Group("pickup", help="Drivers who come for parcels.")
    for each in (batch, leaving, pickup):
        group.add_command(each)
    _add_batches(batch)
    _add_prints(group)
    _add_logo(group)
    _add_manifests(leaving)
    _add_pickups(pickup)
    order = group.commands["order"]
    assert isinstance(order, click.Group)  # noqa: S101 - it is registered before.
    _add_shipping(order)


def _add_batches(batch: click.Group) -> None:
    @command(batch, "buy")
    @click.argument("shop")
    @click.option("--order", "orders", multiple=True, help="One of the orders; more than once for several.")
    @click.option("--all", "every", is_flag=True, help="Every order whose labels could be bought.")
    @click.option("--country", default="", help="With --all: only those that go there.")
    @click.option("--dry-run", is_flag=True, help="Only say what it would cost; nothing is bought.")
    def buy(speaker: Speaker, shop: str, orders: tuple[str, ...], every: bool, country: str, dry_run: bool) -> None:
        """Buy the labels of several orders as one batch."""
        if every == bool(orders):
            raise click.UsageError("Name orders with --order, or give --all.")

        async def do(house: House) -> dict[str, Any]:
            shop_id, now = named_shop(house, shop).id, house.clock.now()
            if every:
                chosen = OrderFilter(not_bought=True, country=country.strip().upper())
                ids = house.here(batches.matching, shop_id, chosen)
            else:
                ids = [house.here(view.find, shop_id, each).id for each in orders]
            made = house.here(batches.make, shop_id, ids, BY_COMMAND, now)
            found = house.here(batches.load, shop_id, made)
            cost = house.here(batches.preview, shop_id, found)
            if not dry_run:
                house.here(batches.buy, house.work, shop_id, made, BY_COMMAND, now)
            return {"batch_id": made, "orders": cost.orders, "parcels": cost.parcels, "cost": list(cost.totals),
                    "unpriced": cost.unpriced, "bought": not dry_run, "worker": house.here(worker_runs)}  # fmt: skip

        done = in_house(do)
        total = " + ".join(str(each) for each in done["cost"]) or "no quoted price"
        line = f"Batch {done['batch_id']}: {done['parcels']} labels of {done['orders']} orders, {total} as quoted."
        speaker.answer(done, [line, _then(done)])

    @command(batch, "show")
    @click.argument("shop")
    @click.argument("batch")
    def show(speaker: Speaker, shop: str, batch: str) -> None:
        """Show what came of each order of a batch."""

        async def do(house: House) -> batches.Batch:
            found = house.here(batches.load, named_shop(house, shop).id, batch)
            return replace(found, items=house.here(with_names, house.keyring, found.items))

        found = in_house(do)
        rows = [dict(zip(SHEET_HEADER, row, strict=True)) for row in sheet_rows(found)]
        shown = [{name: row[name] for name in ("position", "order", "parcel", "state", "carrier", "tracking", "reason")}
                 for row in rows]  # fmt: skip
        data = {"batch_id": found.id, "open": found.open, "bought": found.count("bought"), "items": shown}
        lines = [f"{found.count('bought')} of {len(found.items)} orders have their labels, {found.open} are under way."]
        lines += [f"{row['position']:>4}  {row['order']}  {row['state']}  {row['tracking']}  {row['reason']}".rstrip()
                  for row in shown]  # fmt: skip
        speaker.answer(data, lines)


def _then(done: dict[str, Any]) -> str:
    if not done["bought"]:
        return "Nothing was bought."
    return "They are being bought." if done["worker"] else "No worker runs: start `waybill up`; they are bought then."


def _add_prints(group: click.Group) -> None:
    @command(group, "print")
    @click.argument("shop")
    @click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
    @click.option("--batch", default="", help="The labels of a batch, in its order.")
    @click.option("--order", "orders", multiple=True, help="The labels of an order; more than once for several.")
    @click.option("--what", type=click.Choice([*_WHATS, "picks"]), default="all", help="What of them.")
    @click.option("--sheet", type=click.Choice(list(SHEETS)), help="On which sheet; default: the shop's.")
    def write(
        speaker: Speaker, shop: str, out: Path, batch: str, orders: tuple[str, ...], what: str, sheet: Any
    ) -> None:
        """Write labels, packing slips and papers, or a pick list, as one PDF; ZPL labels lie beside it."""

        async def do(house: House) -> dict[str, Any]:
            entry = named_shop(house, shop)
            ids = _parcels(house, entry.id, batch, orders)
            if what == "picks":
                wanted = house.here(plan_picks, entry.id, ids)
                content = await read_picks(wanted, len(ids), sheet or "a4", house.settings.fonts)
                _write(out, content)
                return {"files": [str(out)], "parcels": len(ids), "pages": None, "missing": []}
            zone = _zone(entry.record.timezone)
            plan = house.here(plan_print, house.keyring, entry, ids, _WHATS[what], sheet, zone)
            plan, printed = await read_print(house.shelf, plan, house.settings.fonts)
            files = []
            if printed.pdf:
                _write(out, printed.pdf)
                files.append(str(out))
            if printed.zpl:
                beside = out.with_suffix(".zpl")
                _write(beside, printed.zpl)
                files.append(str(beside))
            missing = [{"order": each.order, "parcel": each.parcel_id, "reason": each.why_not} for each in plan.missing]
            return {"files": files, "parcels": len(plan.parcels), "pages": printed.pages,
                    "missing": missing if what != "slips" else []}  # fmt: skip

        done = in_house(do)
        lines = [f"Wrote {name}." for name in done["files"]]
        lines += [f"Not printed: order {each['order']}: {each['reason'].say()}" for each in done["missing"]]
        speaker.answer(done, lines)
        if done["missing"]:
            raise SystemExit(EXIT_FAILED)


def _add_logo(group: click.Group) -> None:
    @command(group, "logo")
    @click.argument("shop")
    @click.option("--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A PNG or JPEG.")
    @click.option("--remove", is_flag=True, help="Print without a logo.")
    def put_logo(speaker: Speaker, shop: str, file: Path | None, remove: bool) -> None:
        """Set the logo of a shop's packing slips, or take it away."""
        if remove == (file is not None):
            raise click.UsageError("Give --file or --remove.")

        async def do(house: House) -> dict[str, Any]:
            shop_id, now = named_shop(house, shop).id, house.clock.now()
            if file is None:
                return {"changed": house.here(logo.remove, shop_id, BY_COMMAND, now), "media_type": None}
            return {"changed": True, "media_type": house.here(logo.put, shop_id, _read(file), BY_COMMAND, now)}

        done = in_house(do)
        speaker.answer(done, ["The logo is kept." if done["media_type"] else "Slips have no logo."])


def _parcels(house: House, shop_id: str, batch: str, orders: tuple[str, ...]) -> list[str]:
    if bool(batch) == bool(orders):
        raise click.UsageError("Name a batch with --batch, or orders with --order.")
    if batch:
        found = house.here(batches.load, shop_id, batch)
        return [each.id for item in found.items if item.line for each in item.line.parcels]
    shown = [house.here(view.show, shop_id, each) for each in orders]
    return [each.id for order in shown for each in order.parcels if each.state != "cancelled"]


def _add_manifests(leaving: click.Group) -> None:
    @command(leaving, "make")
    @click.argument("shop")
    def make(speaker: Speaker, shop: str) -> None:
        """Have each carrier make a list of the parcels that wait for it."""

        async def do(house: House) -> dict[str, Any]:
            entry = named_shop(house, shop)
            made = house.here(collect.ask_manifests, house.work, entry, BY_COMMAND, house.clock.now())
            return {"manifests": made, "worker": house.here(worker_runs)}

        done = in_house(do)
        speaker.answer(done, [f"Lists that are being made: {len(done['manifests'])}; see `waybill manifest list`."])

    @command(leaving, "list")
    @click.argument("shop")
    def show(speaker: Speaker, shop: str) -> None:
        """Show the newest lists."""

        async def do(house: House) -> list[Any]:
            return house.here(collect.recent_manifests, named_shop(house, shop).id)

        rows = [{"id": row.id, "carrier": row.carrier, "state": row.state, "parcels": len(row.labels),
                 "made_at": row.made_at, "reason": _why(row)} for row in in_house(do)]  # fmt: skip
        lines = [f"{row['made_at']:%Y-%m-%d %H:%M}  {row['carrier']}  {row['parcels']} parcels  {row['state']}"
                 for row in rows]  # fmt: skip
        speaker.answer({"manifests": rows}, lines or ["There is no list yet."])


def _add_pickups(pickup: click.Group) -> None:
    @command(pickup, "ask")
    @click.argument("shop")
    @click.argument("account")
    @click.option("--location", required=True, help="Where the parcels are: a location's id.")
    @click.option("--from", "earliest", type=click.DateTime(["%Y-%m-%dT%H:%M"]), required=True, help="Earliest.")
    @click.option("--until", "latest", type=click.DateTime(["%Y-%m-%dT%H:%M"]), required=True, help="Latest.")
    @click.option("--note", default="", help="What the driver should know.")
    def ask(
        speaker: Speaker, shop: str, account: str, location: str, earliest: datetime, latest: datetime, note: str
    ) -> None:
        """Ask a carrier who would come, and for how much. Times are the location's."""

        async def do(house: House) -> dict[str, Any]:
            entry = named_shop(house, shop)
            zone = zone_at(entry, location)
            made = house.here(
                collect.plan_pickup, house.work, entry, account, location, earliest.replace(tzinfo=zone),
                latest.replace(tzinfo=zone), note, BY_COMMAND, house.clock.now(),
            )  # fmt: skip
            return {"pickup_id": made, "worker": house.here(worker_runs)}

        done = in_house(do)
        speaker.answer(done, [f"Asked for pick-up {done['pickup_id']}; see `waybill pickup list`."])

    @command(pickup, "book")
    @click.argument("shop")
    @click.argument("pickup")
    @click.option("--offer", type=click.IntRange(min=1), default=1, help="Which of its offers.")
    def book(speaker: Speaker, shop: str, pickup: str, offer: int) -> None:
        """Have the driver of an offer come."""

        async def do(house: House) -> dict[str, Any]:
            shop_id, now = named_shop(house, shop).id, house.clock.now()
            house.here(collect.book_pickup, house.work, shop_id, pickup, offer, BY_COMMAND, now)
            return {"pickup_id": pickup, "worker": house.here(worker_runs)}

        speaker.answer(in_house(do), ["The driver is being booked."])

    @command(pickup, "cancel")
    @click.argument("shop")
    @click.argument("pickup")
    def cancel(speaker: Speaker, shop: str, pickup: str) -> None:
        """Send a driver home."""

        async def do(house: House) -> dict[str, Any]:
            shop_id, now = named_shop(house, shop).id, house.clock.now()
            house.here(collect.cancel_pickup, house.work, shop_id, pickup, BY_COMMAND, now)
            return {"pickup_id": pickup, "worker": house.here(worker_runs)}

        speaker.answer(in_house(do), ["The pick-up is being cancelled."])

    @command(pickup, "list")
    @click.argument("shop")
    def show(speaker: Speaker, shop: str) -> None:
        """Show the newest pick-ups with their offers."""

        async def do(house: House) -> tuple[list[Any], ZoneInfo]:
            entry = named_shop(house, shop)
            return house.here(collect.recent_pickups, entry.id), _zone(entry.record.timezone)

        found, zone = in_house(do)
        rows = [{"id": row.id, "state": row.state, "from": row.earliest, "until": row.latest,
                 "parcels": len(row.labels), "offers": row.offers, "confirmation": row.confirmation,
                 "reason": _why(row)} for row in found]  # fmt: skip
        lines = [line for row in rows for line in _pickup_lines(row, zone)]
        speaker.answer({"pickups": rows}, lines or ["There is no pick-up yet."])


def _pickup_lines(row: dict[str, Any], zone: ZoneInfo) -> list[str]:
    """A pick-up on the shop's clock, with the offers that can be booked."""
    first, last = row["from"].astimezone(zone), row["until"].astimezone(zone)
    head = (
        f"{row['id']}  {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}  {row['state']}  {row['confirmation']}".rstrip()
    )
    offers = row["offers"] if row["state"] == "offered" else []
    return [head, *(f"  --offer {number}: {each['carrier']} {each['service']}, {Money(each['minor'], each['currency'])}"
                    for number, each in enumerate(offers, 1))]  # fmt: skip


def _add_shipping(order: click.Group) -> None:
    @command(order, "ship-many")
    @click.argument("shop")
    @click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
    def ship_many(speaker: Speaker, shop: str, file: Path) -> None:
        """Take tracking numbers from a CSV file: order, carrier, number, and where wanted url, price, parcel."""

        async def do(house: House) -> dict[str, Any]:
            entry = named_shop(house, shop)
            found = [
                house.here(
                    ship_row, house.work, entry.id, row, BY_COMMAND, house.clock.now(),
                    notify_buyer=entry.settings.store_notifies,
                )
                for row in read_rows(_read(file))
            ]  # fmt: skip
            refused = [{"line": each.line, "order": each.order, "field": each.field, "message": each.message}
                       for each in found if each.outcome == "refused"]  # fmt: skip
            kept = sum(each.outcome == "kept" for each in found)
            return {"kept": kept, "known": len(found) - kept - len(refused), "refused": refused}

        done = in_house(do)
        lines = [f"Numbers kept: {done['kept']}; known before: {done['known']}; refused lines: {len(done['refused'])}."]
        lines += [f"Line {each['line']}, {each['field']}: {each['message']}" for each in done["refused"]]
        speaker.answer(done, lines)
        if done["refused"]:
            raise SystemExit(EXIT_FAILED)


def _read(path: Path) -> bytes:
    """A small file, at once: nothing else waits in a command."""
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    """The same for a file that is written."""
    path.write_bytes(content)


def _why(row: Any) -> Reason | None:
    return None if row.why is None else Reason.from_json(row.why)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
