"""What the desk's pages work with; wiring hands the real things over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from connector.directory import Directory
from connector.http.limits import Limits
from connector.http.ports import Health
from connector.labels.files import LabelShelf
from connector.metrics import Metrics
from connector.storage.database import Database
from connector.storage.secrets import Keyring
from connector.work.port import Work


@dataclass(frozen=True, slots=True)
class DeskHouse:
    """Everything that a page may ask. `public_url` is the address under which browsers reach the desk."""

    database: Database
    directory: Directory
    keyring: Keyring
    work: Work
    shelf: LabelShelf
    metrics: Metrics
    health: Health
    limits: Limits
    now: Callable[[], datetime]
    public_url: str
    clock_is_moved: bool = False

    @property
    def refresh(self) -> Callable[[], Awaitable[bool]]:
        """Read at once what a change made; the next page shows it."""
        return self.directory.refresh
