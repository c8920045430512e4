"""EasyPost passes what every carrier must do, over HTTP against its simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from carriers.carrier import Carrier
from carriers.customs import Customs, CustomsItem, TaxId
from carriers.easypost import KIND
from carriers.easypost.settings import EasyPostSettings
from carriers.label import Purchased
from carriers.measure import Weight
from carriers.money import Money
from carriers.parcel import Shipment
from tests.conftest import FrozenClock
from tests.contracts.carrier_contract import SHIPMENT, CarrierContract, Connected, Fault, allowed
from tests.simulators.easypost import build
from tests.simulators.easypost_control import EasyPostControl
from tests.simulators.easypost_trackers import sign
from tests.simulators.server import serve
from webhooks.outgoing import OutgoingClient

SECRET = "sécret of hooks"


class EasyPostWorld:
    """The simulator's side."""

    def __init__(self, control: EasyPostControl) -> None:
        self.control = control

    def arrange(self, fault: Fault, shipment: Shipment) -> Shipment | None:
        play = self.control.fault
        match fault:
            case "no_service":
                play("rates", "no_rates", message="No rates found for 12 Canary Row")
            case "down":
                play("rates", "dropped", 2)
            case "slow":
                play("rates", "slow", seconds=4.0)
            case "lost_answer":
                play("buy", "dropped_after_effect")
            case "lost_request":
                play("buy", "dropped")
            case "wallet_empty":
                play("buy", "status", status=402, code="PAYMENT_REQUIRED", message="Insufficient funds")
            case "address_refused":
                message = "Unable to verify address 12 Canary Row of Canary Nightingale"
                play("buy", "status", status=422, code="ADDRESS.VERIFY.FAILURE", message=message)
            case "rate_gone":
                play("buy", "status", status=422, code="SHIPMENT.RATES.UNAVAILABLE", message="The rate has expired")
        return shipment

    async def sold(self, reference: str) -> int:
        return int(self.control.state()["by_reference"].get(reference, 0))

    async def declared(self, bought: Purchased) -> Customs | None:
        kept, asked = self.control.shipment(bought.handle)
        info, options = kept["customs_info"], kept["options"]
        return Customs(
            items=tuple(_item(each) for each in info["customs_items"]),
            contents=info["contents_type"],
            incoterm=options["incoterm"],
            signer=info["customs_signer"],
            reference=options["invoice_number"],
            tax_ids=tuple(
                TaxId(each["tax_id_type"], each["tax_id"], each["issuing_country"], each["entity"].lower())
                for each in asked["tax_identifiers"]
            ),
            export_filing=info["eel_pfc"],
            non_delivery=info["non_delivery_option"],
            paperless=not options.get("suppress_etd"),
        )

    async def deliveries(self, bought: Purchased) -> list[tuple[Mapping[str, str], bytes]]:
        scans = [
            {"status": "pre_transit", "datetime": "2026-11-23T10:00:00Z", "status_detail": "label_created"},
            {"status": "in_transit", "datetime": "2026-11-24T02:00:00Z", "city": "Fresno", "state": "CA"},
            {"status": "in_transit", "datetime": "2026-11-24T08:00:00Z", "status_detail": "weather_delay"},
            {"status": "out_for_delivery", "datetime": "2026-11-25T07:30:00Z", "city": "Redondo Beach"},
            {"status": "delivered", "datetime": "2026-11-25T15:02:00Z", "status_detail": "arrived_at_destination"},
        ]
        bodies = [self.control.scan(bought.tracker, scan) for scan in scans]
        return [({"x-hmac-signature": sign(body, SECRET)}, body) for body in bodies]


def _item(kept: dict[str, Any]) -> CustomsItem:
    """A line as it arrived; ounces have three decimals, so that grams come back whole."""
    grams = round(Decimal(str(kept["weight"])) * Decimal("28.349523125"))
    value = Money.parse(kept["value"], kept["currency"])
    return CustomsItem(
        kept["description"],
        kept["quantity"],
        value,
        Weight(grams),
        kept["hs_tariff_number"],
        kept["origin_country"],
        sku=kept["code"] or "",
        mpn=kept.get("manufacturer_product_id") or "",
        gtin=kept.get("standardized_product_id") or "",
    )


@pytest.fixture(scope="module")
def simulator(reference: Path) -> Iterator[str]:
    with serve(build(reference)) as url:
        yield url


@pytest.fixture(scope="module")
def crowd(reference: Path) -> Iterator[str]:
    """EasyPost with several accounts that offer equal services at equal prices."""
    with serve(build(reference, "many", seed=7)) as url:
        yield url


async def _connect(url: str, clock: FrozenClock) -> AsyncIterator[Connected]:
    outgoing = OutgoingClient(allow_private=True)
    settings = EasyPostSettings.model_validate(
        {"api_key": "EZTKcontract", "webhook_secret": SECRET, "api_base": url, "look_up_ceiling_s": 5}
    )
    control = EasyPostControl(url)
    control.reset()
    carrier = KIND.connect(settings, outgoing, clock)
    yield Connected(KIND, carrier, EasyPostWorld(control))
    await carrier.close()
    await outgoing.aclose()


class TestEasyPost(CarrierContract):
    """One account: USPS."""

    @pytest.fixture
    async def connected(self, simulator: str, clock: FrozenClock) -> AsyncIterator[Connected]:
        async for one in _connect(simulator, clock):
            yield one


class TestEasyPostWithManyAccounts(CarrierContract):
    """Four accounts with equal services, and five that refuse; rates in another order each time."""

    @pytest.fixture
    async def connected(self, crowd: str, clock: FrozenClock) -> AsyncIterator[Connected]:
        async for one in _connect(crowd, clock):
            yield one

    async def test_accounts_that_refuse_are_named_beside_the_rates(self, carrier: Carrier) -> None:
        created = await carrier.create(SHIPMENT)
        assert {(problem.carrier, problem.code) for problem in created.problems} == {
            ("UPS", "credentials"),
            ("DhlEcs", "credentials"),
        }

    async def test_another_carriers_service_of_the_same_name_is_not_bought(
        self, connected: Connected, carrier: Carrier
    ) -> None:
        """OnTrac's services of equal names are listed first, and dearer."""
        assert isinstance(connected.world, EasyPostWorld)
        connected.world.control.fault("create", "rival")
        created = await carrier.create(SHIPMENT)
        assert created.rates[0].carrier == "OnTrac"
        wanted = next(rate for rate in created.rates if rate.key[1:] == ("UPS", "Ground"))
        bought = await carrier.purchase(created.handle, wanted, allowed)
        assert isinstance(bought, Purchased)
        assert bought.rate.key == wanted.key
        assert bought.rate.price == wanted.price
