"""A sandbox account with books of its own, and things to ship."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from carriers.address import Address
from carriers.measure import Size, Weight
from carriers.parcel import Parcel, Shipment
from carriers.sandbox import SandboxCarrier, SandboxSettings
from tests.conftest import FrozenClock

SECRET = "a-secret-of-the-sandbox"
ORIGIN = Address("SK", "811 01", "BL", "Bratislava", "Obchodná 12", name="Dunaj")
DESTINATION = Address("SK", "040 01", "KI", "Košice", "Hlavná 1", name="Jana Canary")


def shipment(city: str = "Košice", reference: str = "par_1", label_format: str = "pdf") -> Shipment:
    """One parcel of 1.2 kg within Slovakia."""
    to = Address("SK", "040 01", "KI", city, "Hlavná 1", name="Jana Canary")
    parcel = Parcel(Weight(1200), Size(300, 200, 100))
    return Shipment(ORIGIN, to, parcel, reference, "EUR", label_format=label_format)  # type: ignore[arg-type]


@pytest.fixture
def settings(tmp_path: Path) -> SandboxSettings:
    return SandboxSettings(path=tmp_path / "books" / "carrier.db", secret=SecretStr(SECRET))


@pytest.fixture
def carrier(settings: SandboxSettings, clock: FrozenClock) -> SandboxCarrier:
    return SandboxCarrier(settings, clock)
