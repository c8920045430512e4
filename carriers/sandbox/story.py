"""How a pretend parcel travels: the same story at the same times after its purchase, every time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Story = Literal["delivered", "attempted", "returned", "lost"]


@dataclass(frozen=True, slots=True)
class Scan:
    """One step, in the sandbox carrier's own words. `where`: origin, hub or destination."""

    status: str
    after: timedelta
    message: str
    where: Literal["origin", "hub", "destination"]


def scans(story: Story, days: int) -> tuple[Scan, ...]:
    """The whole story for a service of so many days. The first scan is the label itself."""
    due = timedelta(days=days)
    opening = (
        Scan("label_made", timedelta(), "The label was made.", "origin"),
        Scan("in_transit", timedelta(hours=6), "Accepted at the depot.", "origin"),
        Scan("in_transit", timedelta(hours=18), "Left the sorting centre.", "hub"),
    )
    out = Scan("out_for_delivery", due - timedelta(hours=4), "On the van for delivery.", "destination")
    missed = Scan("delivery_missed", due, "Nobody was at home.", "destination")
    day = timedelta(days=1)
    match story:
        case "delivered":
            return (*opening, out, Scan("delivered", due, "Delivered.", "destination"))
        case "attempted":
            again = Scan("out_for_delivery", due + day - timedelta(hours=4), "On the van again.", "destination")
            return (*opening, out, missed, again, Scan("delivered", due + day, "Delivered.", "destination"))
        case "returned":
            back = Scan("return_started", due + day, "Going back to the sender.", "destination")
            return (*opening, out, missed, back, Scan("return_done", due + 3 * day, "Back at the sender.", "origin"))
        case "lost":
            return opening


@dataclass(frozen=True, slots=True)
class Towns:
    """Where the scans happen: towns only, never a street or a person."""

    origin: tuple[str, str]
    destination: tuple[str, str]

    def of(self, scan: Scan) -> tuple[str, str]:
        """City and country of a scan."""
        match scan.where:
            case "origin":
                return self.origin
            case "destination":
                return self.destination
            case "hub":
                return "Sandbox Hub", self.destination[1]


def scan_json(scan: Scan, bought_at: datetime, towns: Towns) -> dict[str, str]:
    """The scan as the pretend carrier sends it."""
    city, country = towns.of(scan)
    return {
        "status": scan.status,
        "at": (bought_at + scan.after).isoformat(),
        "message": scan.message,
        "city": city,
        "country": country,
    }
