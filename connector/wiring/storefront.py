"""What the storefront's doors are given: shops by their public key, and the quoting desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.entries import ShopEntry
from connector.http.storefront.house import Shopfront, StorefrontHouse
from connector.quotes import storefront
from connector.quotes.estimate import Asked, Estimate, Fault

if TYPE_CHECKING:
    from connector.wiring.house import House


@dataclass(frozen=True, slots=True)
class Estimating:
    """See connector.http.storefront.house.Estimating."""

    house: House

    def by_key(self, key: str) -> Shopfront | None:
        """The shop with this public key."""
        return _shopfront(self.house.directory.shop_by_storefront(key))

    def by_domain(self, domain: str) -> Shopfront | None:
        """The shop that Shopify calls by this name."""
        return _shopfront(self.house.directory.shop_by_domain("shopify", domain))

    def proxy_secrets(self, domain: str) -> tuple[str, ...]:
        """The secrets of the app through which the shop is connected."""
        shop = self.house.directory.shop_by_domain("shopify", domain)
        if shop is None:
            return ()
        app = self.house.directory.app_of("shopify", {"x-shopify-shop-domain": domain})
        return () if app is None else app.secrets

    async def estimate(self, shop_id: str, asked: Asked, received_at: float) -> Estimate | Fault | None:
        """The answer to a page."""
        shop = self.house.directory.shop(shop_id)
        if shop is None or not shop.settings.storefront.on:
            return None
        return await storefront.estimate(self.house.quote_desk, shop.quoting, shop.record.currency, asked, received_at)


def storefront_house(house: House) -> StorefrontHouse:
    """What the storefront works with."""
    settings = house.settings
    return StorefrontHouse(
        Estimating(house),
        house.clock.now,
        settings.storefront_per_minute,
        settings.storefront_shop_per_minute,
        settings.proxies,
    )


def _shopfront(shop: ShopEntry | None) -> Shopfront | None:
    if shop is None or not shop.settings.storefront.on:
        return None
    chosen = shop.settings.storefront
    return Shopfront(
        shop.id,
        shop.record.currency,
        frozenset({f"https://{shop.domain}", *chosen.origins}),
        chosen.places_a_day,
    )
