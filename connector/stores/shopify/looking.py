"""What a check-up reads of a shop: plan, permissions, rate service, profiles with zones, weights. Each at most once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio

from connector.stores.shopify import check_queries, queries
from connector.stores.shopify.api import ShopAPI
from connector.stores.shopify.client import Data
from connector.stores.shopify.mapping import text_of, understood, weight_of

T = TypeVar("T")

MOST_VARIANTS = 2000
"""So many variants are looked at for their weight: 8,000 query points."""


class Once(Generic[T]):
    """Reads something when it is first asked for; who asks meanwhile waits, and a failure is the same for all."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._lock = anyio.Lock()
        self._value: list[T] = []

    async def __call__(self) -> T:
        """The value. Raises what reading it raised, and reads again when asked again."""
        async with self._lock:
            if not self._value:
                self._value.append(await self._read())
            return self._value[0]


@dataclass(frozen=True, slots=True)
class ShopLook:
    """The plan by its public name, and the permissions that the app was given."""

    plan: str
    for_developers: bool
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Service:
    """A carrier service of the app."""

    id: str
    name: str
    active: bool
    url: str


@dataclass(frozen=True, slots=True)
class Zone:
    """A shipping zone. `services`: ids of carrier services in it; `own_rates`: names of the merchant's own prices."""

    name: str
    services: frozenset[str]
    own_rates: tuple[str, ...]

    @property
    def has_prices(self) -> bool:
        """Whether a buyer there sees any price."""
        return bool(self.services or self.own_rates)


@dataclass(frozen=True, slots=True)
class Profile:
    """A shipping profile: which products it ships (the first few by name), and its zones."""

    id: str
    name: str
    is_default: bool
    variants: int
    products: tuple[str, ...]
    zones: tuple[Zone, ...]


@dataclass(frozen=True, slots=True)
class Weightless:
    """Variants that have to be shipped and weigh nothing, of so many that were looked at."""

    names: tuple[str, ...]
    looked_at: int


async def read_shop(api: ShopAPI) -> ShopLook:
    """Raises StoreError."""
    data = await api.read(check_queries.CHECK_SHOP, {})
    with understood("shop"):
        plan = data["shop"]["plan"]
        scopes = frozenset(str(scope["handle"]) for scope in data["currentAppInstallation"]["accessScopes"])
        return ShopLook(text_of(plan["publicDisplayName"]), bool(plan["partnerDevelopment"]), scopes)


async def read_services(api: ShopAPI) -> Sequence[Service]:
    """Raises StoreError."""
    with understood("services"):
        return [
            Service(str(node["id"]), text_of(node["name"]), bool(node["active"]), str(node["callbackUrl"] or ""))
            async for node in api.pages(queries.RATE_SERVICES, {}, lambda data: data["carrierServices"])
        ]


async def read_profiles(api: ShopAPI) -> Sequence[Profile]:
    """Every profile with every zone. Raises StoreError."""
    found = []
    with understood("profiles"):
        nodes = [
            node async for node in api.pages(check_queries.CHECK_PROFILES, {}, lambda data: data["deliveryProfiles"])
        ]
        for node in nodes:
            counted = node["productVariantsCount"]
            found.append(
                Profile(
                    str(node["id"]),
                    text_of(node["name"]),
                    bool(node["default"]),
                    int(counted["count"]) if counted else 0,
                    tuple(text_of(item["product"]["title"]) for item in node["profileItems"]["nodes"]),
                    tuple(await _zones(api, str(node["id"]))),
                )
            )
    return found


async def _zones(api: ShopAPI, profile: str) -> list[Zone]:
    """The zones of every group of locations; a group with more than one page is asked for by itself."""
    data = await api.read(check_queries.CHECK_ZONES, {"id": profile, "group": None, "after": None})
    node = data["deliveryProfile"]
    found: list[Zone] = []
    for group in node["profileLocationGroups"] if node else ():
        page = group["locationGroupZones"]
        found += [_zone(each) for each in page["nodes"]]
        while page["pageInfo"]["hasNextPage"]:
            variables = {
                "id": profile,
                "group": group["locationGroup"]["id"],
                "after": page["pageInfo"]["endCursor"],
            }
            more = (await api.read(check_queries.CHECK_ZONES, variables))["deliveryProfile"]
            page = more["profileLocationGroups"][0]["locationGroupZones"]
            found += [_zone(each) for each in page["nodes"]]
    return found


def _zone(node: Data) -> Zone:
    providers = [each["rateProvider"] for each in node["byApps"]["nodes"] if each["active"]]
    return Zone(
        text_of(node["zone"]["name"]),
        frozenset(str(each["carrierService"]["id"]) for each in providers if each and each.get("carrierService")),
        tuple(text_of(each["name"]) for each in node["byHand"]["nodes"] if each["active"]),
    )


async def read_weightless(api: ShopAPI) -> Weightless:
    """Raises StoreError."""
    names: list[str] = []
    looked_at = 0
    with understood("weights"):
        async for node in api.pages(check_queries.CHECK_WEIGHTS, {}, lambda data: data["productVariants"]):
            item = node["inventoryItem"]
            looked_at += 1
            if item["requiresShipping"] and weight_of(item["measurement"]["weight"]) is None:
                names.append(text_of(node["displayName"]))
            if looked_at >= MOST_VARIANTS:
                break
    return Weightless(tuple(names), looked_at)
