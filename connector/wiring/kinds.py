"""The store platforms and carriers that there are: one line each."""

from __future__ import annotations

from collections.abc import Mapping

import carriers.easypost
import carriers.rate_table
import carriers.sandbox
import connector.stores.sandbox
import connector.stores.sandbox.checkup
import connector.stores.shopify
import connector.stores.shopify.app
import connector.stores.shopify.checkup
from carriers.carrier import CarrierKind
from connector.checkup.asked import Platform
from connector.store import StoreKind

STORES: Mapping[str, StoreKind] = {
    kind.name: kind for kind in (connector.stores.shopify.KIND, connector.stores.sandbox.KIND)
}
PLATFORMS: Mapping[str, Platform] = {
    "shopify": Platform(connector.stores.shopify.checkup.checks),
    "sandbox": Platform(connector.stores.sandbox.checkup.checks, calls_from_outside=False),
}
CARRIERS: Mapping[str, CarrierKind] = {
    kind.name: kind for kind in (carriers.easypost.KIND, carriers.rate_table.KIND, carriers.sandbox.KIND)
}
