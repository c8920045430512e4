"""How the simulated shop is set up for shipping: profiles with zones, products with weights, permissions, plan.

Everything is what the Admin API says of it, in its own field names. A fresh shop is in order: one profile, two zones.
Our carrier service is in every zone, once it is registered: `ShippingSetUp.join` is what the merchant does by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulators.shopify_world import World

Body = dict[str, Any]


@dataclass
class ZoneSetUp:
    """A zone. `without`: our service is not in it; `own`: names of the merchant's own prices."""

    name: str
    without: bool = False
    own: list[str] = field(default_factory=list)


@dataclass
class ProfileSetUp:
    """A profile with the titles of its products."""

    id: int
    name: str
    default: bool = False
    products: list[str] = field(default_factory=list)
    zones: list[ZoneSetUp] = field(default_factory=list)


@dataclass
class ShippingSetUp:
    """The whole of it. `weightless` are products (by title) with 0 g; `plan` is the public name of the plan."""

    plan: str = "Advanced"
    for_developers: bool = False
    weightless: list[str] = field(default_factory=list)
    profiles: list[ProfileSetUp] = field(
        default_factory=lambda: [
            ProfileSetUp(
                1,
                "General profile",
                True,
                ["Short Sleeve T-Shirt", "Mug"],
                [ZoneSetUp("Domestic"), ZoneSetUp("Rest of world")],
            )
        ]
    )

    def change(self, given: Body) -> None:
        """Set fields; `profiles` is the whole list, as plain values. A misspelt field is an error."""
        for name, value in given.items():
            if name == "profiles":
                self.profiles = [
                    ProfileSetUp(
                        each["id"],
                        each["name"],
                        each.get("default", False),
                        each.get("products", []),
                        [ZoneSetUp(**zone) for zone in each.get("zones", [])],
                    )
                    for each in value
                ]
            elif hasattr(self, name):
                setattr(self, name, value)
            else:
                raise ValueError(name)

    # --- as the Admin API says it -------------------------------------------------------------------------------------

    def plan_node(self) -> Body:
        """`Shop.plan`."""
        return {
            "publicDisplayName": self.plan,
            "displayName": self.plan,
            "partnerDevelopment": self.for_developers,
            "shopifyPlus": self.plan == "Plus",
        }

    def profile_nodes(self, world: World) -> list[Body]:
        """`DeliveryProfile` objects; our service is in each zone that is not `without` it."""
        return [self._profile(profile, world) for profile in self.profiles]

    def variant_nodes(self) -> Iterator[Body]:
        """Every product as its one `ProductVariant`."""
        for profile in self.profiles:
            for place, title in enumerate(profile.products):
                yield self._variant(profile.id * 100_000 + place, title)

    def _variant(self, number: int, title: str) -> Body:
        weight = {"unit": "GRAMS", "value": 0.0 if title in self.weightless else 500.0}
        return {
            "__typename": "ProductVariant",
            "id": f"gid://shopify/ProductVariant/{number}",
            "displayName": f"{title} - Default Title",
            "sku": f"SKU-{number}",
            "inventoryItem": {
                "id": f"gid://shopify/InventoryItem/{number}",
                "requiresShipping": True,
                "harmonizedSystemCode": None,
                "countryCodeOfOrigin": None,
                "measurement": {"id": f"gid://shopify/InventoryItemMeasurement/{number}", "weight": weight},
            },
        }

    def _profile(self, profile: ProfileSetUp, world: World) -> Body:
        zones = [self._zone(profile, place, zone, world) for place, zone in enumerate(profile.zones)]
        items = [
            {
                "id": f"gid://shopify/DeliveryProfileItem/{place}",
                "product": {"id": _gid("Product", place), "title": title},
            }
            for place, title in enumerate(profile.products)
        ]
        group = {
            "locationGroup": {"id": _gid("DeliveryLocationGroup", profile.id), "locations": world.locations},
            "locationGroupZones": zones,
        }
        return {
            "__typename": "DeliveryProfile",
            "id": _gid("DeliveryProfile", profile.id),
            "name": profile.name,
            "default": profile.default,
            "productVariantsCount": {"count": len(profile.products), "precision": "EXACT"},
            "profileItems": items,
            "profileLocationGroups": [group],
        }

    def _zone(self, profile: ProfileSetUp, place: int, zone: ZoneSetUp, world: World) -> Body:
        services = [] if zone.without else world.services
        return {
            "zone": {"id": _gid("DeliveryZone", profile.id * 1000 + place), "name": zone.name, "countries": []},
            "methodDefinitions": [
                {
                    "id": _gid("DeliveryMethodDefinition", number),
                    "name": service["name"],
                    "active": True,
                    "rateProvider": {
                        "__typename": "DeliveryParticipant",
                        "id": _gid("DeliveryParticipant", number),
                        "carrierService": service,
                    },
                }
                for number, service in enumerate(services)
            ]
            + [
                {
                    "id": _gid("DeliveryMethodDefinition", 500 + number),
                    "name": name,
                    "active": True,
                    "rateProvider": {
                        "__typename": "DeliveryRateDefinition",
                        "id": _gid("DeliveryRateDefinition", number),
                        "price": {"amount": "9.00", "currencyCode": world.currency},
                    },
                }
                for number, name in enumerate(zone.own)
            ],
        }


def of_kind(methods: list[Body], kind: str | None) -> list[Body]:
    """`methodDefinitions(type:)`: PARTICIPANT are apps and carriers, MERCHANT the merchant's own prices."""
    wanted = {"PARTICIPANT": "DeliveryParticipant", "MERCHANT": "DeliveryRateDefinition"}.get(kind or "")
    return [each for each in methods if wanted is None or each["rateProvider"]["__typename"] == wanted]


def narrowed(name: str, value: Any, arguments: Body) -> Any:
    """What a field gives for its arguments, where it is one of a profile's lists; else the value as it is."""
    if name == "methodDefinitions":
        return of_kind(value, arguments.get("type"))
    if name == "profileLocationGroups" and arguments.get("locationGroupId"):
        return [group for group in value if group["locationGroup"]["id"] == arguments["locationGroupId"]]
    return value


def _gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"
