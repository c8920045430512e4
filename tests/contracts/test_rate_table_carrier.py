"""A rate table passes what every carrier must do, as far as it declares: it names prices and sells nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from carriers.customs import Customs
from carriers.label import Purchased
from carriers.parcel import Shipment
from carriers.rate_table import KIND, RateTableCarrier, RateTableSettings, pack
from tests.conftest import FrozenClock
from tests.contracts.carrier_contract import CarrierContract, Connected, Fault

AMERICA = Path(__file__).parent.parent / "carriers" / "rate_table" / "golden" / "america.csv"


class TableWorld:
    """Nobody stands behind a table: of all faults it plays the one destination that no zone covers."""

    def arrange(self, fault: Fault, shipment: Shipment) -> Shipment | None:
        if fault != "no_service":
            return None
        return replace(shipment, destination=replace(shipment.destination, country="NZ", postal_code="6011"))

    async def sold(self, reference: str) -> int:
        return 0

    async def declared(self, bought: Purchased) -> Customs | None:
        return None

    async def deliveries(self, bought: Purchased) -> list[tuple[Mapping[str, str], bytes]]:
        return []


class TestRateTableCarrier(CarrierContract):
    @pytest.fixture
    def connected(self, clock: FrozenClock) -> Connected:
        settings = RateTableSettings(file=pack(AMERICA.read_bytes()), timezone="America/New_York")
        return Connected(KIND, RateTableCarrier(settings, clock), TableWorld())
