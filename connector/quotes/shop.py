"""What quoting knows of a shop: its settings, where goods leave from, and whom it asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from carriers.address import Address
from connector.promises.lanes import NO_LANES, LaneBook
from connector.quotes.ask import Account
from connector.quotes.facts import Facts
from connector.shop_settings import ShopSettings
from connector.store import Cart, Store


@dataclass(frozen=True, slots=True)
class Origin:
    """A place that goods leave from. `external_id` is the store's id of it."""

    id: str
    external_id: str
    address: Address
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class QuotingShop:
    """What quoting knows of a shop, held in memory: one settings version with the connections that belong to it."""

    id: str
    store: Store
    settings: ShopSettings
    settings_version: int
    timezone: str
    origins: tuple[Origin, ...]
    accounts: tuple[Account, ...]
    facts_by_origin: dict[str, Facts] = field(default_factory=dict, compare=False)
    adjustments: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # See quotes.adjustments.
    lanes: LaneBook = NO_LANES

    def origin_for(self, cart: Cart) -> tuple[str, Address | None]:
        """Our location's id and the address that the goods leave from.

        The call's own origin, where it is complete enough to be priced, matched to a location by postal code; else
        the default location.
        """
        asked = cart.origin
        if cart.location_id:
            named = next((each for each in self._places() if each.external_id == cart.location_id), None)
            if named:
                return named.id, named.address
        if asked is not None and asked.country and asked.postal_code:
            near = next((each for each in self._places() if _same_place(each.address, asked)), None)
            return (near.id, near.address) if near else ("", asked)
        default = self.default_origin()
        return (default.id, default.address) if default else ("", None)

    def store_location(self, location_id: str) -> str:
        """The store's id of a location; empty where the location is not known."""
        return next((each.external_id for each in self.origins if each.id == location_id), "") if location_id else ""

    def default_origin(self) -> Origin | None:
        """The location that the settings name, else the store's default, else the only one."""
        named = self.settings.default_location
        if named:
            return next((each for each in self._places() if named in (each.id, each.external_id)), None)
        chosen = [each for each in self._places() if each.is_default] or self._places()
        return chosen[0] if len(chosen) == 1 else None

    def _places(self) -> list[Origin]:
        """The locations whose address says at least which country: carriers cannot be asked from the others."""
        return [each for each in self.origins if each.address.country]


def _same_place(ours: Address, asked: Address) -> bool:
    same = "".join(ours.postal_code.split()).casefold() == "".join(asked.postal_code.split()).casefold()
    return same and ours.country == asked.country
