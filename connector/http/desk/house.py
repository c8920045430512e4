"""What the desk's pages work with; wiring hands the real things over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from connector.checkup.clinic import Clinic
from connector.checkup.finding import Checkup
from connector.directory import Directory, ShopEntry
from connector.http.limits import Limits
from connector.http.ports import Health
from connector.insight.kept_truth import KeptTruth
from connector.installing.installer import Installer
from connector.labels.files import LabelShelf
from connector.managing.accounts import CarrierDesk
from connector.metrics import Metrics
from connector.storage.database import Database
from connector.storage.secrets import Keyring
from connector.work.port import Work
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock


@dataclass(frozen=True, slots=True)
class DeskHouse:
    """Everything that a page may ask. `public_url` is the address under which browsers reach the desk."""

    database: Database
    directory: Directory
    keyring: Keyring
    work: Work
    outgoing: Outgoing
    clock: Clock
    clinic: Clinic
    installer: Installer
    carrier_desk: CarrierDesk
    shelf: LabelShelf
    metrics: Metrics
    health: Health
    limits: Limits
    public_url: str
    clock_is_moved: bool = False
    fonts: str = ""
    costs: KeptTruth = field(default_factory=KeptTruth)

    @property
    def now(self) -> Callable[[], datetime]:
        """Business time."""
        return self.clock.now

    @property
    def refresh(self) -> Callable[[], Awaitable[bool]]:
        """Read at once what a change made; the next page shows it."""
        return self.directory.refresh

    async def look_over(self, shop: ShopEntry) -> Checkup:
        """Check a shop now."""
        return await self.clinic.check(shop.id)
