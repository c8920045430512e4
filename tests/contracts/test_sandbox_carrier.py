"""The sandbox carrier passes what every carrier must do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from carriers.customs import Customs
from carriers.label import Purchased
from carriers.parcel import Shipment
from carriers.sandbox import KIND, SandboxCarrier, SandboxSettings
from tests.conftest import FrozenClock
from tests.contracts.carrier_contract import CarrierContract, Connected, Fault

_CITIES: dict[Fault, str] = {
    "no_service": "SANDBOX-NOWHERE",
    "down": "SANDBOX-DOWN",
    "slow": "SANDBOX-SLOW",
    "lost_answer": "SANDBOX-LOST-ANSWER",
    "lost_request": "SANDBOX-LOST-REQUEST",
    "wallet_empty": "SANDBOX-EMPTY-WALLET",
    "address_refused": "SANDBOX-REFUSE",
    "rate_gone": "SANDBOX-RATE-GONE",
}


class SandboxWorld:
    """The pretend carrier's own side: its magic destinations, its books, its stories."""

    def __init__(self, carrier: SandboxCarrier) -> None:
        self._carrier = carrier

    def arrange(self, fault: Fault, shipment: Shipment) -> Shipment | None:
        return replace(shipment, destination=replace(shipment.destination, city=_CITIES[fault]))

    async def sold(self, reference: str) -> int:
        return await self._carrier.purchases(reference)

    async def declared(self, bought: Purchased) -> Customs | None:
        return (await self._carrier.shipment(bought.handle)).customs

    async def deliveries(self, bought: Purchased) -> list[tuple[Mapping[str, str], bytes]]:
        return [(each.headers, each.body) for each in await self._carrier.play(bought.handle)]


class TestSandboxCarrier(CarrierContract):
    @pytest.fixture
    def connected(self, tmp_path: Path, clock: FrozenClock) -> Connected:
        settings = SandboxSettings(path=tmp_path / "carrier.db", secret=SecretStr("of-the-contract-suite"))
        carrier = SandboxCarrier(settings, clock)
        return Connected(KIND, carrier, SandboxWorld(carrier))
