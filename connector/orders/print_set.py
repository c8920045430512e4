"""What a print is made of: for each parcel its slip, its kept documents in order, and why a label is not among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

import anyio
import anyio.to_thread
from sqlalchemy import Connection

from carriers.money import Money
from connector.catalogue import keep
from connector.directory import ShopEntry
from connector.labels import kept, logo, scan
from connector.labels.by_hand import is_by_hand
from connector.labels.files import FileMissing, FilesUnreachable, LabelShelf
from connector.labels.paper.apart import made_apart
from connector.labels.paper.build import Paper, Printed, PrintItem, build, build_picks
from connector.labels.paper.inserts import OrderFacts, cards_for
from connector.labels.paper.picklist import Wanted
from connector.labels.paper.sheets import SheetName
from connector.labels.paper.slips import Brand, Slip, SlipLine
from connector.labels.record import ORDER_OF_PAPERS
from connector.labels.shipment import address_of
from connector.labels.tables import LIVE, label_files, labels, parcels
from connector.orders.first import first_orders
from connector.orders.tables import orders
from connector.orders.who import by_name, names_in
from connector.storage import persons
from connector.storage.database import in_parts
from connector.storage.secrets import Keyring
from connector.words.reason import Reason

_READERS = 8


@dataclass(frozen=True, slots=True)
class What:
    """What is to be printed of each parcel."""

    labels: bool = True
    slips: bool = True
    papers: bool = True


@dataclass(frozen=True, slots=True)
class PlannedParcel:
    """One parcel of a print. `files`: kind and digest of each document. `why_not`: why there is no label in it."""

    parcel_id: str
    order_id: str
    order: str
    caption: str
    slip: Slip | None
    files: tuple[tuple[str, str], ...]
    why_not: Reason | None = None


@dataclass(frozen=True, slots=True)
class PrintPlan:
    """A print before its documents are read."""

    parcels: tuple[PlannedParcel, ...]
    brand: Brand
    sheet: SheetName

    @property
    def missing(self) -> tuple[PlannedParcel, ...]:
        """The parcels whose label is not in it."""
        return tuple(each for each in self.parcels if each.why_not is not None)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to print."""
        return not any(each.slip is not None or each.files for each in self.parcels)


def plan_print(
    connection: Connection,
    keyring: Keyring,
    shop: ShopEntry,
    parcel_ids: Sequence[str],
    what: What,
    sheet: SheetName | None,
    zone: tzinfo,
) -> PrintPlan:
    """The parcels in this order; those that the shop does not have are left out. Slips' codes are made known."""
    rows = _rows(connection, shop.id, parcel_ids)
    live = _live_labels(connection, shop.id, list(rows))
    files = _files(connection, shop.id, [each.id for each in live.values()])
    lacking = [each.id for each in live.values() if what.labels and not _labels(files, each)]
    lacks = kept.files_of(connection, shop.id, lacking)
    sold = _orders(connection, shop.id, {row.order_id for row in rows.values()})
    firsts = first_orders(connection, shop.id, list(sold.values()))
    held_back = set()
    if shop.settings.paper.scan == "required":
        held_back = scan.not_scanned(connection, shop.id, list(rows))
    if what.slips:
        scan.keep_codes(connection, shop.id, list(rows))
    planned = []
    for parcel_id, row in rows.items():
        order, label = sold.get(row.order_id), live.get(parcel_id)
        if order is None:
            continue
        slip = _slip(connection, keyring, shop, row, order, zone, first=order.id in firsts) if what.slips else None
        number = f"  {label.tracking_code}" if label is not None and label.tracking_code else ""
        holds = f"  {_contents(row)}" if row.goods else ""
        caption = f"{order.name}  parcel {row.number} of {row.count}{number}{holds}"
        one = PlannedParcel(parcel_id, order.id, order.name, caption, slip, ())
        if what.labels or what.papers:
            one = _with_files(one, row, label, _chosen(shop, label, files, what), lacks, blocked=parcel_id in held_back)
        planned.append(one)
    names = names_in(connection, keyring, (each.why_not for each in planned))
    planned = [replace(each, why_not=by_name(each.why_not, names)) for each in planned]
    return PrintPlan(tuple(planned), brand_of(connection, shop), sheet or shop.settings.paper.sheet)


def brand_of(connection: Connection, shop: ShopEntry) -> Brand:
    """How the shop shows itself on paper."""
    paper = shop.settings.paper
    return Brand(paper.brand or shop.record.name, paper.color, logo.load(connection, shop.id), paper.note)


def plan_picks(connection: Connection, shop_id: str, parcel_ids: Sequence[str]) -> tuple[Wanted, ...]:
    """What to take from the shelves for these parcels: bins by the location that each leaves from."""
    rows = _rows(connection, shop_id, parcel_ids)
    sold = _orders(connection, shop_id, {row.order_id for row in rows.values()})
    skus = {sku for row in rows.values() for _, sku in (row.goods or {}).values() if sku}
    products = keep.by_sku(connection, shop_id, skus)
    found = []
    for row in rows.values():
        order = sold.get(row.order_id)
        for line, units in row.contents:
            name, sku = (row.goods or {}).get(line, ("", ""))
            place = next(
                (
                    known.bin
                    for each in products.get(sku, ())
                    if (known := each.places.get(row.store_location_id) or _only(each.places)) and known.bin
                ),
                "",
            )
            found.append(Wanted(sku or name or line, sku, name or line, place, units, order.name if order else ""))
    return tuple(found)


async def read_print(shelf: LabelShelf, plan: PrintPlan, font_folders: str) -> tuple[PrintPlan, Printed]:
    """Read the documents from the shelf, and make the PDF in a process of its own, so that this one goes on serving.

    The plan that comes back says which labels could not be read.
    """
    contents: dict[str, bytes] = {}
    limit = anyio.CapacityLimiter(_READERS)

    async def read(digest: str) -> None:
        try:
            contents[digest] = await anyio.to_thread.run_sync(shelf.get, digest, limiter=limit)
        except (FileMissing, FilesUnreachable):
            return

    async with anyio.create_task_group() as group:
        for digest in {digest for each in plan.parcels for _, digest in each.files}:
            group.start_soon(read, digest)
    kept = tuple(
        each if all(digest in contents for _, digest in each.files) else replace(each, why_not=Reason("label_not_kept"))
        for each in plan.parcels
    )
    items = tuple(
        PrintItem(
            each.caption,
            each.slip,
            tuple(Paper(kind, contents[digest]) for kind, digest in each.files if digest in contents),
        )
        for each in kept
    )
    printed = await made_apart(build, items, plan.brand, plan.sheet, font_folders)
    bad = {kept[number].parcel_id for number in printed.unread}
    told = tuple(replace(each, why_not=Reason("label_not_kept")) if each.parcel_id in bad else each for each in kept)
    return replace(plan, parcels=told), printed


async def read_picks(wanted: tuple[Wanted, ...], parcel_count: int, sheet: SheetName, font_folders: str) -> bytes:
    """The pick list as a PDF, made in a process of its own."""
    return await made_apart(build_picks, wanted, parcel_count, sheet, font_folders)


def release_file(connection: Connection, shop: ShopEntry, parcel_id: str) -> None:
    """Whether a label's file may be handed out. Raises NotScanned."""
    if shop.settings.paper.scan == "required" and scan.not_scanned(connection, shop.id, [parcel_id]):
        raise scan.NotScanned("Scan the goods of this parcel first, or override that with a reason.", detail=parcel_id)


def _with_files(
    one: PlannedParcel, row: Any, label: Any | None, files: list[Any], lacks: dict[str, kept.OnShelf], *, blocked: bool
) -> PlannedParcel:
    if label is None or label.state != "bought":
        return replace(one, why_not=Reason("no_label_yet") if row.why is None else Reason.from_json(row.why))
    if is_by_hand(label):
        return one
    if blocked:
        return replace(one, why_not=Reason("not_scanned"))
    why_not = (lacks[label.id].why or Reason("label_not_kept")) if label.id in lacks else None
    return replace(one, files=tuple((each.kind, each.sha256) for each in files), why_not=why_not)


def _labels(files: dict[str, list[Any]], label: Any) -> list[Any]:
    """The kept files of the label itself; a carrier may give it in several formats."""
    return [each for each in files.get(label.id, ()) if each.kind == "label" and each.sha256]


def _chosen(shop: ShopEntry, label: Any | None, files: dict[str, list[Any]], what: What) -> list[Any]:
    """What is printed of a label's kept files, in order: the label itself once, in the account's format."""
    if label is None:
        return []
    account = shop.accounts.get(label.account_id)
    own = kept.to_print(_labels(files, label), {} if account is None else account.record.settings)
    papers = [each for each in files.get(label.id, ()) if each.sha256 and each.kind != "label"] if what.papers else []
    papers.sort(key=lambda each: ORDER_OF_PAPERS.get(each.kind, 3))
    return [own, *papers] if what.labels and own is not None else papers


def _contents(row: Any) -> str:
    """What lies in a parcel, in short: units and SKU, or the name where there is no SKU."""
    units: dict[str, int] = {}
    for line, count in row.contents:
        name, sku = _named(row.goods, line)
        units[sku or name] = units.get(sku or name, 0) + count
    return ", ".join(f"{count}x {what}" for what, count in units.items())


def _slip(
    connection: Connection, keyring: Keyring, shop: ShopEntry, row: Any, order: Any, zone: tzinfo, *, first: bool
) -> Slip:
    fields = persons.get(connection, keyring, shop.id, row.person_id) if row.person_id else None
    goods = row.goods or {}
    facts = OrderFacts(
        first_order=first,
        tags=frozenset(order.tags or ()),
        country=order.country or "",
        goods=None if order.subtotal_minor is None else Money(order.subtotal_minor, order.currency),
    )
    placed: datetime = order.placed_at
    return Slip(
        language=order.locale or "en",
        order=order.name,
        placed=f"{placed.astimezone(zone):%Y-%m-%d}",
        number=row.number,
        count=row.count,
        to=() if fields is None else _address_lines(fields),
        lines=tuple(SlipLine(*_named(goods, line), units) for line, units in row.contents),
        code=scan.code_of(row.id),
        inserts=cards_for(shop.settings.paper.inserts, facts) if row.number == 1 else (),
    )


def _named(goods: dict[str, list[str]], line: str) -> tuple[str, str]:
    """Name and SKU of a line's goods; rows of the first release have none."""
    name, sku = goods.get(line, (line, ""))
    return name, sku


def _address_lines(fields: dict[str, str]) -> tuple[str, ...]:
    to = address_of(fields)
    town = " ".join(each for each in (to.postal_code, to.city, to.province) if each)
    return tuple(each for each in (to.name, to.company, to.street1, to.street2, town, to.country) if each)


def _only(places: Any) -> Any:
    """The one place of goods that lie at one location only."""
    return next(iter(places.values())) if len(places) == 1 else None


def _rows(connection: Connection, shop_id: str, ids: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for some in in_parts(list(dict.fromkeys(ids))):
        chosen = parcels.select(shop_id).where(parcels.c.id.in_(some), parcels.c.state != "cancelled")
        found |= {row.id: row for row in connection.execute(chosen).all()}
    return {each: found[each] for each in dict.fromkeys(ids) if each in found}


def _live_labels(connection: Connection, shop_id: str, ids: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for some in in_parts(ids):
        chosen = labels.select(shop_id).where(labels.c.parcel_id.in_(some), labels.c.state.in_(LIVE))
        found |= {row.parcel_id: row for row in connection.execute(chosen).all()}
    return found


def _files(connection: Connection, shop_id: str, label_ids: list[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for some in in_parts(label_ids):
        chosen = label_files.select(shop_id).where(label_files.c.label_id.in_(some)).order_by(label_files.c.id)
        for row in connection.execute(chosen).all():
            found.setdefault(row.label_id, []).append(row)
    return found


def _orders(connection: Connection, shop_id: str, ids: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for some in in_parts(sorted(ids)):
        chosen = orders.select(shop_id).where(orders.c.id.in_(some))
        found |= {row.id: row for row in connection.execute(chosen).all()}
    return found
