"""Faults to plant in a healthy shop, each with the one cause that a check-up has to name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connector.orders.tables import orders
from connector.storage.ids import new_id
from connector.storage.vault import ShopTokenVault
from connector.stores.shopify.queries import SCOPES
from connector.wiring import receiver
from tests.checkup.world import Patient
from webhooks.receiver import Endpoint

Plant = Callable[[Patient], Awaitable[None]]
GENERAL = {
    "id": 1,
    "name": "General profile",
    "default": True,
    "products": ["Short Sleeve T-Shirt", "Mug"],
    "zones": [{"name": "Domestic"}, {"name": "Rest of world"}],
}


@dataclass(frozen=True)
class Fault:
    """What is done to the shop, and the cause that must be named; `words` stand in its text."""

    plant: Plant
    cause: str
    words: str = ""
    settings: tuple[tuple[str, str], ...] = ()


async def zone_missing(patient: Patient) -> None:
    zones = [{"name": "Domestic"}, {"name": "Europe", "without": True, "own": ["Standard"]}]
    await patient.at_store("set_up", profiles=[GENERAL | {"zones": zones}])


async def in_no_zone(patient: Patient) -> None:
    zones = [{"name": "Domestic", "without": True}, {"name": "Rest of world", "without": True}]
    await patient.at_store("set_up", profiles=[GENERAL | {"zones": zones}])


async def plan_lost(patient: Patient) -> None:
    """Shopify takes the service out of every zone."""
    await in_no_zone(patient)
    await patient.at_store("set_up", plan="Basic")
    services = [service | {"active": False} for service in await patient.of_store("services")]
    await patient.at_store("settings", services=services, plan_allows_services=False)


async def profile_gap(patient: Patient) -> None:
    heavy = {"id": 2, "name": "Heavy goods", "products": ["Anvil"], "zones": [{"name": "Domestic", "without": True}]}
    await patient.at_store("set_up", profiles=[GENERAL, heavy])


async def profiles_add_up(patient: Patient) -> None:
    fragile = {"id": 3, "name": "Fragile goods", "products": ["Vase"], "zones": [{"name": "Domestic"}]}
    await patient.at_store("set_up", profiles=[GENERAL, fragile])


async def weightless(patient: Patient) -> None:
    await patient.at_store("set_up", weightless=["Mug"])


async def carrier_key_revoked(patient: Patient) -> None:
    await patient.at_carrier("fault", "rates", "status", times=5, status=401, code="UNAUTHORIZED")


async def wallet_empty(patient: Patient) -> None:
    await patient.at_carrier("user", balance="-1.20000")


async def sample_account(patient: Patient) -> None:
    await patient.account("EZTKtest", test_mode=True)


async def wrong_secret(patient: Patient) -> None:
    """Messages come whose signature fits another secret."""
    taken = receiver(patient.house)
    endpoint = Endpoint(f"store:{patient.shop_id}", patient.shop.store.verify_webhook, patient.shop_id)
    signed = {"x-shopify-hmac-sha256": "bm90IG91cnM=", "x-shopify-topic": "orders/paid"}
    for _ in range(3):
        assert taken.receive(endpoint, "POST", signed, b"{}").status == 401


async def questions_refused(patient: Patient) -> None:
    """The front counts them where the shop's settings ask for a signature."""
    for _ in range(3):
        patient.house.refused.note(patient.shop_id, "rates")


async def nothing(_: Patient) -> None:
    """The fault is in the process's settings."""


async def token_ended(patient: Patient) -> None:
    now = patient.house.clock.now()
    dead = {
        "access_token": "shpat_dead",
        "expires_at": (now - timedelta(days=90)).isoformat(),
        "refresh_token": "shprt_dead",
        "refresh_expires_at": (now - timedelta(days=1)).isoformat(),
    }
    await _tokens(patient, dead)
    await patient.at_store("drop_tokens")


async def token_ends(patient: Patient) -> None:
    """The pair works, and the way to renew it ends within days."""
    vault = ShopTokenVault(patient.house.database, patient.house.keyring, patient.shop_id)
    kept = dict(await vault.load() or {})
    soon = patient.house.clock.now() + timedelta(days=3, hours=1)
    await _tokens(patient, kept | {"refresh_token": "shprt_any", "refresh_expires_at": soon.isoformat()})


async def _tokens(patient: Patient, fields: dict[str, str]) -> None:
    """Another process kept these."""
    vault = ShopTokenVault(patient.house.database, patient.house.keyring, patient.shop_id)
    assert await vault.save(fields)


async def app_removed(patient: Patient) -> None:
    await patient.at_store("settings", client_secret="another secret")
    await patient.at_store("drop_tokens")


async def subscription_gone(patient: Patient) -> None:
    kept = [each for each in await patient.of_store("subscriptions") if each["topic"] != "ORDERS_PAID"]
    await patient.at_store("settings", subscriptions=kept)


async def subscription_elsewhere(patient: Patient) -> None:
    kept = await patient.of_store("subscriptions")
    moved = [each | {"uri": "https://old.example.com/hooks/x/y"} for each in kept]
    await patient.at_store("settings", subscriptions=moved)


async def subscription_thin(patient: Patient) -> None:
    kept = await patient.of_store("subscriptions")
    thin = [each | {"includeFields": ["id"]} if each["topic"] == "ORDERS_PAID" else each for each in kept]
    await patient.at_store("settings", subscriptions=thin)


async def _service(patient: Patient, **changes: Any) -> None:
    services = [service | changes for service in await patient.of_store("services")]
    await patient.at_store("settings", services=services)


async def callback_moved(patient: Patient) -> None:
    await _service(patient, callbackUrl="https://old.example.com/rates/x/y")


async def service_inactive(patient: Patient) -> None:
    await _service(patient, active=False)


async def service_gone(patient: Patient) -> None:
    await patient.at_store("settings", services=[])


async def scope_missing(patient: Patient) -> None:
    await patient.at_store("settings", scopes=[each for each in SCOPES if each != "write_fulfillments"])


async def location_without_address(patient: Patient) -> None:
    await patient.at_store("add_location", name="Pop-up", address1=None, city=None, zip=None, province=None)


async def locations_closed(patient: Patient) -> None:
    await patient.at_store("close_locations")


async def address_dead(patient: Patient) -> None:
    patient.front.status = 502


async def nobody_answers(patient: Patient) -> None:
    patient.front.hangs_up = True


async def no_account(patient: Patient) -> None:
    await patient.no_account()


async def worker_dead(patient: Patient) -> None:
    await patient.worker(alive=False)


async def backup_used(patient: Patient) -> None:
    shipping = {"code": "backup", "title": "Shipping rate", "price": "12.00", "source": "shopify"}
    await patient.at_store("place_orders", 3, paid=True, shipping=shipping)


async def default_location_gone(patient: Patient) -> None:
    await patient.settings(default_location="loc_gone")


async def not_asked(patient: Patient) -> None:
    """Orders come, and the last price question is days old."""
    house, now = patient.house, patient.house.clock.now()

    def place(connection: Any) -> None:
        from connector.quotes.ledger import quotes

        connection.execute(quotes.update(patient.shop_id).values(at=now - timedelta(days=4)))
        for number in range(3):
            at = now - timedelta(hours=number)
            values = {"currency": "USD", "paid": True, "cancelled": False, "charged_minor": 700}
            times = {"placed_at": at, "updated_at": at, "seen_at": at}
            row = orders.insert(
                patient.shop_id, id=new_id("ord", at), external_id=f"o{number}", name=f"#{number}", **values, **times
            )
            connection.execute(row)

    await house.database.run(place)


FAULTS = {
    "zone missing": Fault(zone_missing, "check_zone_without_us", "Europe"),
    "in no zone": Fault(in_no_zone, "check_in_no_zone"),
    "plan lost": Fault(plan_lost, "check_plan", "Basic"),
    "profile gap": Fault(profile_gap, "check_profile_without_us", "Anvil"),
    "profiles that charge twice": Fault(profiles_add_up, "check_profiles_add_up", "Vase"),
    "weight 0": Fault(weightless, "check_weight_missing", "Mug"),
    "carrier key revoked": Fault(carrier_key_revoked, "check_account_refused", "EasyPost"),
    "wallet empty": Fault(wallet_empty, "check_wallet_empty", "-1.20 USD"),
    "account in the wrong mode": Fault(sample_account, "check_account_test", "EasyPost"),
    "no carrier account": Fault(no_account, "check_no_account"),
    "wrong secret": Fault(wrong_secret, "check_messages_refused", "3 messages"),
    "wrong secret at the checkout": Fault(questions_refused, "check_questions_refused", "3 price questions"),
    "clock ahead": Fault(nothing, "check_clock_ahead", "Shopify", (("test_clock", "1800:1"),)),
    "token expired": Fault(token_ended, "check_token_ended"),
    "token about to expire": Fault(token_ends, "check_token_ends", "3 days"),
    "app removed": Fault(app_removed, "check_store_refuses"),
    "subscription removed": Fault(subscription_gone, "check_webhook_missing", "orders/paid"),
    "subscription elsewhere": Fault(subscription_elsewhere, "check_webhook_elsewhere", "https://old.example.com"),
    "subscription without fields": Fault(subscription_thin, "check_webhook_thin", "orders/paid"),
    "callback moved": Fault(callback_moved, "check_service_elsewhere", "https://old.example.com"),
    "service inactive": Fault(service_inactive, "check_service_stopped"),
    "service removed": Fault(service_gone, "check_service_missing"),
    "scope missing": Fault(scope_missing, "check_permissions_missing", "write_fulfillments"),
    "location without address": Fault(location_without_address, "check_location_without_address", "Pop-up"),
    "locations closed": Fault(locations_closed, "check_locations_closed", "Warehouse"),
    "public address dead": Fault(address_dead, "check_address_stranger", "502"),
    "nobody answers there": Fault(nobody_answers, "check_address_dead", "healthz"),
    "worker dead": Fault(worker_dead, "check_no_worker"),
    "backup rates used": Fault(backup_used, "check_backup_used", "3 paid orders"),
    "default location gone": Fault(default_location_gone, "check_default_location_gone", "loc_gone"),
    "checkout does not ask": Fault(not_asked, "check_not_asked", "4 days"),
}
