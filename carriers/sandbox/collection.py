"""The sandbox carrier's lists and drivers: a repeat gives the same list, and a driver comes for nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import anyio.to_thread

from carriers.collection import BookedPickup, Manifest, NotBooked, OfferedPickup, PickupOffer, PickupRequest
from carriers.errors import Refused
from carriers.label import LabelFile, Rejected, Unknown
from carriers.money import Money
from carriers.sandbox.books import Books, code_for, tracking_code_for
from carriers.sandbox.mapping import CARRIER, list_url
from carriers.sandbox.settings import SandboxSettings
from webhooks.ports import Fence

DRIVER = "Next day"


class SandboxCollector:
    """See `carriers.collection.Collector`. Lists and drivers are kept in the carrier's books."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._books = Books(settings.path, settings.secret.get_secret_value())

    async def make_manifest(self, handles: Sequence[str], fence: Fence) -> Manifest | Rejected | Unknown:
        """Refused where a shipment was not bought or is on another list."""
        wanted = sorted(set(handles))
        name = "mft_" + code_for("manifest", *wanted)

        def work(books: sqlite3.Connection) -> Manifest | Rejected:
            if not fence():
                return Rejected("fenced", "Another process goes on with this.")
            for handle in wanted:
                row = books.execute("SELECT bought_at FROM shipments WHERE handle = ?", (handle,)).fetchone()
                if row is None or row["bought_at"] is None:
                    return Rejected("refused", "A shipment of the list has no label.")
                on = books.execute("SELECT manifest FROM manifested WHERE handle = ?", (handle,)).fetchone()
                if on is not None and on["manifest"] != name:
                    return Rejected("refused", "A shipment is on another list already.")
            books.executemany(
                "INSERT OR IGNORE INTO manifested (handle, manifest) VALUES (?, ?)", [(each, name) for each in wanted]
            )
            return _manifest(name, wanted)

        return await self._books.transact(work)

    async def find_manifest(self, handles: Sequence[str]) -> Manifest | None:
        """The list of the first shipment."""

        def work(books: sqlite3.Connection) -> str | None:
            row = books.execute("SELECT manifest FROM manifested WHERE handle = ?", (handles[0],)).fetchone()
            return None if row is None else str(row["manifest"])

        name = await self._books.transact(work)
        return None if name is None else await self.manifest_state(name)

    async def manifest_state(self, handle: str) -> Manifest:
        """It is made at once. Raises Refused for a list that is not in the books."""

        def work(books: sqlite3.Connection) -> list[str]:
            rows = books.execute("SELECT handle FROM manifested WHERE manifest = ? ORDER BY handle", (handle,))
            return [str(row["handle"]) for row in rows]

        found = await self._books.transact(work)
        if not found:
            raise Refused("The sandbox carrier has no such list.", detail="manifest")
        return _manifest(handle, found)

    async def offer_pickup(self, request: PickupRequest) -> OfferedPickup:
        """One offer, for nothing, in euros."""
        handle = "pck_" + code_for("pickup", request.reference)

        def work(books: sqlite3.Connection) -> None:
            books.execute("INSERT OR IGNORE INTO pickups (handle) VALUES (?)", (handle,))

        await self._books.transact(work)
        return OfferedPickup(handle, (PickupOffer(CARRIER, DRIVER, Money(0, "EUR")),))

    async def book_pickup(self, handle: str, offer: PickupOffer, fence: Fence) -> BookedPickup | Rejected | Unknown:
        """A second booking gives the first one's confirmation."""

        def work(books: sqlite3.Connection) -> BookedPickup | Rejected:
            if not fence():
                return Rejected("fenced", "Another process goes on with this.")
            if offer.service != DRIVER:
                return Rejected("refused", "The sandbox carrier has no such driver.")
            changed = books.execute("UPDATE pickups SET state = 'booked' WHERE handle = ?", (handle,))
            if changed.rowcount != 1:
                return Rejected("refused", "The sandbox carrier has no such pick-up.")
            return _booked(handle)

        return await self._books.transact(work)

    async def look_up_pickup(self, handle: str) -> BookedPickup | NotBooked:
        """What the books say. Raises Refused for a pick-up that they do not have."""

        def work(books: sqlite3.Connection) -> str | None:
            row = books.execute("SELECT state FROM pickups WHERE handle = ?", (handle,)).fetchone()
            return None if row is None else str(row["state"])

        state = await self._books.transact(work)
        if state is None:
            raise Refused("The sandbox carrier has no such pick-up.", detail="pickup")
        if state == "booked":
            return _booked(handle)
        return NotBooked(handle, cancelled=state == "cancelled")

    async def cancel_pickup(self, handle: str, fence: Fence) -> NotBooked | Rejected | Unknown:
        """The driver stays at home."""

        def work(books: sqlite3.Connection) -> NotBooked | Rejected:
            if not fence():
                return Rejected("fenced", "Another process goes on with this.")
            books.execute("UPDATE pickups SET state = 'cancelled' WHERE handle = ?", (handle,))
            return NotBooked(handle, cancelled=True)

        return await self._books.transact(work)

    async def draw_list(self, handle: str) -> bytes:
        """The list on paper, the same bytes each time. Raises Refused for one that is not in the books."""
        found = await self.manifest_state(handle)
        from carriers.sandbox import drawing

        lines = ["SANDBOX CARRIER - VOID SAMPLE", handle, *found.tracking_codes]
        return await anyio.to_thread.run_sync(drawing.draw_lines, lines)


def _manifest(name: str, handles: Sequence[str]) -> Manifest:
    file = LabelFile("manifest", "application/pdf", url=list_url(name))
    return Manifest(name, "made", tuple(tracking_code_for(handle) for handle in handles), file)


def _booked(handle: str) -> BookedPickup:
    return BookedPickup(handle, _confirmation(handle))


def _confirmation(handle: str) -> str:
    return "SBX" + code_for("confirmation", handle, length=8).upper()
