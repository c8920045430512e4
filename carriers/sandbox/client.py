"""The pretend carrier itself: what would stand behind an HTTP interface, with a SQLite file for its books.

It never leaves the machine. Handles, tracking codes and events follow from what it is given and from its books, so a
run can be repeated. Refusals are raised as SaidNo, with the carrier's own codes.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from carriers.money import Money
from carriers.parcel import Shipment
from carriers.sandbox.books import Books, code_for, tracking_code_for
from carriers.sandbox.errors import SaidNo
from carriers.sandbox.faults import fault_of
from carriers.sandbox.mapping import instant, read_shipment, write_shipment
from carriers.sandbox.prices import SERVICES, Service, carries, price, transit_days
from carriers.sandbox.settings import Fault, SandboxSettings
from carriers.sandbox.story import Scan, Story, Towns, scan_json, scans
from webhooks.ports import Clock, Fence

KEEP_ADDRESSES = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Sale:
    """A shipment in the books; the fields of the sale are None until it was bought."""

    handle: str
    shipment: Shipment
    service: Service | None
    amount: Money | None
    tracking_code: str | None
    tracker: str | None
    bought_at: datetime | None
    voided_at: datetime | None
    played: int
    story: Story


class PretendCarrier:
    """The carrier's side of the calls. Each is one transaction in its books."""

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._books = Books(settings.path, settings.secret.get_secret_value())

    def fault(self, city: str) -> Fault:
        """What goes wrong for this destination."""
        return fault_of(city, self._settings.fault)

    async def create(self, shipment: Shipment) -> str:
        """Put a shipment into the books; its handle. Addresses of long ago are forgotten on the way."""
        now = self._clock.now()

        def work(books: sqlite3.Connection) -> str:
            forget = "UPDATE shipments SET content = NULL WHERE created_at < ? AND content IS NOT NULL"
            books.execute(forget, ((now - KEEP_ADDRESSES).isoformat(),))
            count = "SELECT count(*) FROM shipments WHERE reference = ?"
            (earlier,) = books.execute(count, (shipment.reference,)).fetchone()
            handle = "sbx_" + code_for("shipment", shipment.reference, str(earlier))
            row = (handle, shipment.reference, now.isoformat(), self._books.seal(write_shipment(shipment)))
            books.execute("INSERT INTO shipments (handle, reference, created_at, content) VALUES (?, ?, ?, ?)", row)
            return handle

        return await self._books.transact(work)

    async def buy(self, handle: str, service_name: str, fence: Fence) -> Sale:
        """Sell a label, once: a second purchase of a handle says LABEL.EXISTS and changes nothing."""
        now = self._clock.now()

        def work(books: sqlite3.Connection) -> Sale:
            # Asked with the lock held, just before the sale: nothing can come between.
            if not fence():
                raise SaidNo("CLIENT.FENCED", "This process may no longer act; another one goes on.")
            sale = self._sale(books, "handle", handle)
            if sale.bought_at is not None:
                raise SaidNo("LABEL.EXISTS", "This shipment has a label already.")
            shipment = sale.shipment
            self._refuse(self.fault(shipment.destination.city))
            service = next((each for each in SERVICES if each.name == service_name), None)
            if service is None or not carries(service, [shipment.parcel]):
                raise SaidNo("RATE.GONE", "This price cannot be bought (any more).")
            amount = price(
                service,
                shipment.origin,
                shipment.destination,
                [shipment.parcel],
                shipment.currency,
                shipment.signature,
            )
            books.execute(
                "UPDATE shipments SET service = ?, amount = ?, tracking_code = ?, tracker = ?, bought_at = ?"
                " WHERE handle = ?",
                (
                    service.name,
                    f"{amount.minor} {amount.currency}",
                    tracking_code_for(handle),
                    "trk_" + code_for("tracker", handle),
                    now.isoformat(),
                    handle,
                ),
            )
            return self._sale(books, "handle", handle)

        return await self._books.transact(work)

    async def look_up(self, handle: str) -> Sale:
        """What the books say of a shipment."""
        return await self._books.transact(lambda books: self._sale(books, "handle", handle))

    async def void(self, handle: str, fence: Fence) -> Sale:
        """Take a label back that has not travelled yet; a repeat changes nothing."""
        now = self._clock.now()

        def work(books: sqlite3.Connection) -> Sale:
            if not fence():
                raise SaidNo("CLIENT.FENCED", "This process may no longer act; another one goes on.")
            sale = self._sale(books, "handle", handle)
            if sale.bought_at is None or sale.voided_at is not None:
                return sale
            if sale.played > 1:
                raise SaidNo("VOID.TOO_LATE", "The parcel is on its way; its label cannot be taken back.")
            books.execute("UPDATE shipments SET voided_at = ? WHERE handle = ?", (now.isoformat(), handle))
            return self._sale(books, "handle", handle)

        return await self._books.transact(work)

    async def track(self, tracker: str) -> dict[str, object]:
        """The parcel's history so far, as JSON."""
        return history(await self._books.transact(lambda books: self._sale(books, "tracker", tracker)))

    async def play(self, which: str, steps: int | None, story: Story | None) -> list[tuple[str, dict[str, object]]]:
        """Move a parcel on; an event id and the history for each step taken.

        `which` is a handle, a tracker or a tracking code. `steps` None plays to the end. `story` can be chosen until
        the parcel has left. The first play also tells of the label itself, without counting it as a step.
        """

        def work(books: sqlite3.Connection) -> list[tuple[str, dict[str, object]]]:
            column = {"sbx": "handle", "trk": "tracker"}.get(which[:3], "tracking_code")
            sale = self._sale(books, column, which)
            if sale.bought_at is None or sale.service is None:
                raise SaidNo("SHIPMENT.NO_LABEL", "Nothing was bought for this shipment, so it does not travel.")
            if sale.voided_at is not None:
                raise SaidNo("SHIPMENT.NO_LABEL", "The label was taken back, so it does not travel.")
            chosen = story if story is not None and sale.played == 1 else sale.story
            whole = len(_scans(sale, chosen))
            to = whole if steps is None else min(sale.played + steps, whole)
            books.execute("UPDATE shipments SET played = ?, story = ? WHERE handle = ?", (to, chosen, sale.handle))
            first = sale.played if sale.played == 1 else sale.played + 1
            return [
                ("evt_" + code_for("event", sale.handle, chosen, str(at)), history(sale, at, chosen))
                for at in range(first, to + 1)
            ]

        return await self._books.transact(work)

    async def count(self, reference: str | None = None) -> int:
        """How many labels were sold, in all or for one reference; those that were taken back count too."""

        def work(books: sqlite3.Connection) -> int:
            asked = "SELECT count(*) FROM shipments WHERE bought_at IS NOT NULL AND (? IS NULL OR reference = ?)"
            return int(books.execute(asked, (reference, reference)).fetchone()[0])

        return await self._books.transact(work)

    def _sale(self, books: sqlite3.Connection, column: str, value: str) -> Sale:
        row = books.execute(f"SELECT * FROM shipments WHERE {column} = ?", (value,)).fetchone()  # noqa: S608  Our names.
        if row is None:
            code = "SHIPMENT.NOT_FOUND" if column == "handle" else "TRACKER.NOT_FOUND"
            raise SaidNo(code, "The carrier does not know this shipment.")
        minor, _, currency = (row["amount"] or "").partition(" ")
        return Sale(
            handle=row["handle"],
            shipment=read_shipment(self._books.open(row["content"])),
            service=next((each for each in SERVICES if each.name == row["service"]), None),
            amount=Money(int(minor), currency) if minor else None,
            tracking_code=row["tracking_code"],
            tracker=row["tracker"],
            bought_at=instant(row["bought_at"]) if row["bought_at"] else None,
            voided_at=instant(row["voided_at"]) if row["voided_at"] else None,
            played=row["played"],
            story=row["story"],
        )

    @staticmethod
    def _refuse(fault: Fault) -> None:
        if fault == "refuse":
            raise SaidNo("ADDRESS.REFUSED", "The address is not good enough for a label.")
        if fault == "empty-wallet":
            raise SaidNo("WALLET.EMPTY", "There is not enough money in the account.")
        if fault == "rate-gone":
            raise SaidNo("RATE.GONE", "This price cannot be bought any more.")


def history(sale: Sale, played: int | None = None, story: Story | None = None) -> dict[str, object]:
    """The tracking JSON of a sale: its first `played` scans, and the take-back of its label if there was one."""
    if sale.bought_at is None or sale.service is None:
        raise SaidNo("TRACKER.NOT_FOUND", "The carrier does not know this shipment.")
    shipment = sale.shipment
    towns = Towns(
        (shipment.origin.city, shipment.origin.country), (shipment.destination.city, shipment.destination.country)
    )
    seen = _scans(sale, story or sale.story)[: sale.played if played is None else played]
    told = [scan_json(scan, sale.bought_at, towns) for scan in seen]
    if sale.voided_at is not None:
        told.append({"status": "cancelled", "at": sale.voided_at.isoformat(), "message": "The label was taken back."})
    due = sale.bought_at + timedelta(days=transit_days(sale.service, shipment.origin, shipment.destination))
    return {
        "tracker": sale.tracker,
        "tracking_code": sale.tracking_code,
        "scans": told,
        "estimated_delivery": due.isoformat(),
        "test": True,
    }


def _scans(sale: Sale, story: Story) -> tuple[Scan, ...]:
    if sale.service is None:
        return ()
    return scans(story, transit_days(sale.service, sale.shipment.origin, sale.shipment.destination))
