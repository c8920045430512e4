"""After the purchase: fetch the files to keep, and keep none that is not what it says."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import anyio.to_thread
import structlog
from sqlalchemy import Connection

from carriers.errors import CarrierError
from carriers.label import Purchased
from connector.attention.board import need_person, settled
from connector.directory import Directory
from connector.labels import record
from connector.labels.documents import Document, read_document
from connector.labels.files import FilesUnreachable, LabelShelf
from connector.labels.kept import BAD_FILE, LATE_FILE
from connector.storage.database import Database
from connector.words.reason import Reason
from connector.work.port import Run, TryLater

log = structlog.get_logger(__name__)

_STORE_AGAIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Aftercare:
    """The job `labels.files`; it takes the label's id."""

    database: Database
    directory: Directory
    shelf: LabelShelf
    now: Callable[[], datetime]

    async def fetch(self, run: Run) -> None:
        """Copy the carrier's documents to our shelf.

        What is no label (half a PDF, an error page) is not kept: it is put before a person, and fetched again, from
        where the carrier keeps it by then. What does not come at all is, once that has failed twice.
        """
        shop_id, (label_id,) = run.task.shop_id, run.task.args
        label, files = await self.database.run(_label_and_files, shop_id, label_id)
        if label is None:
            return
        missing = [row for row in files if row.sha256 is None]
        account = self.directory.account(shop_id, label.account_id)
        if account is None:
            if any(row.fetched_at is None for row in missing):
                lost = Reason("label_file_lost", _of(label))
                await self.database.run(need_person, shop_id, label.id, lost, self.now())
            return
        try:
            bad = await self._copy(run, account.connection, label, missing)
        except (CarrierError, TryLater):
            if run.task.attempt > 1:
                late = Reason("label_file_late", _of(label))
                await self.database.run(need_person, shop_id, label.id, late, self.now())
            raise
        await self.database.run(self._told, label, bad)
        if bad:
            raise TryLater("A label file is not what it says; it is fetched again.")

    async def _copy(self, run: Run, connection: Any, label: Any, missing: Sequence[Any]) -> str:
        """Fetch and keep what is not here yet; what was wrong with one of the files, or nothing."""
        fresh: dict[tuple[str, str], str] = {}
        if missing and (run.task.attempt > 1 or any(not row.url and row.fetched_at is None for row in missing)):
            fresh = await self._addresses(connection, label)
        bad = ""
        for row in missing:
            url = fresh.get((row.kind, row.media_type)) or row.url or fresh.get((row.kind, ""), "")
            if not url:
                # What was let go of after its time stays so; what never came has no other place to come from.
                bad = bad or ("missing" if row.fetched_at is None else "")
                continue
            fetch = functools.partial(connection.fetch_file, url)
            _, content = await run.step("label.fetch", fetch)
            found = await anyio.to_thread.run_sync(read_document, content)
            if not isinstance(found, Document):
                log.warning("label_file_refused", label=label.id, fault=found, bytes=len(content))
                bad = found
                continue
            digest = await self._keep(content)
            await self.database.run(record.file_fetched, row, found.media_type, digest, len(content), self.now())
        return bad

    async def _keep(self, content: bytes) -> str:
        try:
            return await anyio.to_thread.run_sync(self.shelf.put, content)
        except (FilesUnreachable, OSError) as error:
            raise TryLater("The label files' place does not answer.", retry_after_s=_STORE_AGAIN_S) from error

    async def _addresses(self, connection: Any, label: Any) -> dict[tuple[str, str], str]:
        """Where the carrier keeps the documents now, by kind and format; nothing where it does not say.

        With an empty format it is the first of its kind.
        """
        try:
            found = await connection.look_up(label.handle, record.rate_of(label))
        except CarrierError:
            return {}
        kept: dict[tuple[str, str], str] = {}
        for each in found.files if isinstance(found, Purchased) else ():
            if each.url:
                kept.setdefault((each.kind, ""), each.url)
                kept.setdefault((each.kind, each.media_type), each.url)
        return kept

    def _told(self, connection: Connection, label: Any, bad: str) -> None:
        settled(connection, label.shop_id, label.id, self.now(), LATE_FILE)
        if bad:
            need_person(connection, label.shop_id, label.id, Reason("label_file_bad", _of(label)), self.now())
        else:
            settled(connection, label.shop_id, label.id, self.now(), BAD_FILE)


def _of(label: Any) -> dict[str, str]:
    return {"number": label.tracking_code, "carrier": label.carrier}


def _label_and_files(connection: Connection, shop_id: str, label_id: str) -> tuple[Any | None, list[Any]]:
    return record.label_of(connection, shop_id, label_id), record.files_of(connection, shop_id, label_id)


async def kept_files(shelf: LabelShelf, outcome: Purchased) -> list[record.KeptFile]:
    """The documents of a purchase; those that came with it are on the shelf, as far as they are what they say.

    What is not kept here is fetched by the job: a label that was bought is never lost for its file.
    """
    kept = []
    for file in outcome.files:
        found = await anyio.to_thread.run_sync(read_document, file.content) if file.content else None
        digest = None
        if isinstance(found, Document):
            try:
                digest = await anyio.to_thread.run_sync(shelf.put, file.content)
            except (FilesUnreachable, OSError) as error:
                log.warning("label_file_not_kept", error=type(error).__name__)
        media_type = found.media_type if isinstance(found, Document) else file.media_type
        size = len(file.content) if digest else None
        kept.append(record.KeptFile(file.kind, media_type, file.url, digest, size))
    if not any(each.kind == "label" for each in kept):  # The job asks the carrier where it is, and tells a person.
        kept.append(record.KeptFile("label", "application/pdf", ""))
    return kept
