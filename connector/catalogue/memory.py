"""Catalogues in a process's memory for the checkout: loaded when a shop is first asked for, then kept up to date.

Products are held as text and read when a cart has them, so that 20,000 variants cost some megabytes.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import OrderedDict
from collections.abc import Mapping

import anyio
import structlog
from sqlalchemy.exc import SQLAlchemyError

from connector.catalogue import keep
from connector.catalogue.product import Product, key_of
from connector.storage.database import Database

log = structlog.get_logger(__name__)

_MOST_VARIANTS = 500_000  # Of all shops together; shops that were not asked for longest are let go.
_MOST_READ = 4000
_SKU = re.compile(r'"sku":("(?:[^"\\]|\\.)*")')
_PATIENCE_S = 0.8
"""How long a shop's very first rate call waits for its catalogue."""


class ShopProducts:
    """One version of a shop's catalogue. Two objects are two versions."""

    __slots__ = ("_by_sku", "_raw", "_read", "version")

    def __init__(self, version: int, raw: Mapping[str, str]) -> None:
        self.version = version
        self._raw = raw
        self._by_sku: Mapping[str, str] | None = None
        self._read: OrderedDict[str, Product | None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._raw)

    def find(self, variant_id: str, sku: str) -> Product | None:
        """What a quote needs to know of a variant: by its id, else by its SKU; None where nothing is known."""
        if not self._raw:
            return None
        key = key_of(variant_id, sku)
        if key in self._read:
            return self._read[key]
        raw = self._raw.get(key) or self._raw.get(f"sku:{sku}")
        found = None if raw is None else Product.model_validate_json(raw).for_quote()
        self._read[key] = found
        if len(self._read) > _MOST_READ:
            self._read.popitem(last=False)
        return found

    def shelf(self, variant_id: str, sku: str) -> Product | None:
        """Everything that is known of a variant, its name and price as well; a SKU alone finds the variant that has it.

        For pages before the checkout, not for the checkout itself: it reads the product anew each time.
        """
        raw = self._raw.get(key_of(variant_id, sku))
        if raw is None and sku and not variant_id:
            raw = self._raw.get(self._skus().get(sku, ""))
        if raw is None:
            raw = self._raw.get(f"sku:{sku}")
        return None if raw is None else Product.model_validate_json(raw)

    def _skus(self) -> Mapping[str, str]:
        """Which variant has a SKU, made at the first question."""
        if self._by_sku is None:
            found: dict[str, str] = {}
            for key, raw in self._raw.items():
                said = _SKU.search(raw)
                if said is not None and not key.startswith("sku:"):
                    found.setdefault(json.loads(said[1]), key)
            self._by_sku = found
        return self._by_sku

    def changed(self, version: int, raw: Mapping[str, str], *, whole: bool) -> ShopProducts:
        """The next version: with these variants changed, or made of these alone."""
        return ShopProducts(version, raw if whole else {**self._raw, **raw})


NO_PRODUCTS = ShopProducts(0, {})


class Products:
    """The catalogues of the shops that this process answers for. Nothing here raises."""

    def __init__(self, database: Database | None, patience_s: float = _PATIENCE_S) -> None:
        self._database = database
        self._patience_s = patience_s
        self._shops: OrderedDict[str, ShopProducts] = OrderedDict()
        self._loading: dict[str, asyncio.Task[None]] = {}
        self._slow: set[str] = set()

    def of(self, shop_id: str) -> ShopProducts:
        """What is in memory; nothing for a shop that was not loaded."""
        found = self._shops.get(shop_id)
        if found is None:
            return NO_PRODUCTS
        self._shops.move_to_end(shop_id)
        return found

    def has(self, shop_id: str) -> bool:
        """Whether the shop's catalogue is in memory."""
        return self._database is None or shop_id in self._shops

    async def load(self, shop_id: str) -> ShopProducts:
        """The shop's catalogue, read from the database at its first call; a slow or silent one is not waited for."""
        if not self.has(shop_id):
            task = self._loading.get(shop_id)
            if task is None:
                task = self._loading[shop_id] = asyncio.create_task(self._load(shop_id), name=f"catalogue {shop_id}")
            if shop_id not in self._slow:
                await asyncio.wait([task], timeout=self._patience_s)
                if not task.done():
                    self._slow.add(shop_id)  # One call waited; the others need not, until it is there.
        return self.of(shop_id)

    async def refresh(self) -> None:
        """Read what changed in the shops that are in memory. While the database is away what is known goes on."""
        if self._database is None or not self._shops:
            return
        try:
            now = await self._database.run(keep.versions, list(self._shops))
        except SQLAlchemyError as error:
            log.warning("catalogue_waits", cause=type(error).__name__)
            return
        for shop_id, version in now.items():
            held = self._shops.get(shop_id)
            if held is not None and held.version != version:
                await self._load(shop_id)

    async def run(self, every_s: float = 1.0) -> None:
        """Keep up with changes until cancelled."""
        while True:
            await anyio.sleep(every_s)
            await self.refresh()

    async def aclose(self) -> None:
        """End loads that are under way."""
        tasks = list(self._loading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _load(self, shop_id: str) -> None:
        assert self._database is not None  # noqa: S101 - see has().
        held = self._shops.get(shop_id)
        try:
            known = 0 if held is None else held.version
            version, whole, raw = await self._database.run(keep.merged_since, shop_id, known)
        except SQLAlchemyError as error:
            log.warning("catalogue_waits", cause=type(error).__name__)
        else:
            if held is None or version != held.version:
                self._shops[shop_id] = (held or NO_PRODUCTS).changed(version, raw, whole=whole or held is None)
            self._make_room(shop_id)
        finally:
            self._loading.pop(shop_id, None)
            self._slow.discard(shop_id)

    def _make_room(self, newest: str) -> None:
        most = sum(map(len, self._shops.values()))
        for shop_id in list(self._shops):
            if most <= _MOST_VARIANTS:
                return
            if shop_id != newest:
                most -= len(self._shops.pop(shop_id))
