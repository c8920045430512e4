"""What a decision used besides the cart and the carriers' answers, addressed by the hash of its content."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from typing import Any

import msgspec

from connector.quotes.kept import Kept
from connector.quotes.reduced import Place
from connector.shop_settings import ShopSettings, load

DECIDE_VERSION = 4
CHANGES = {
    2: "a safety rate says what it is bought as; goods of known size are packed",
    3: "rules may hide, add, refuse and sort; thresholds apply after price rules and to safety rates; free stays free; "
    "dates follow cut-offs, handling and calendars; express that is no sooner is hidden",
    4: "goods without any number are named as a gap on the way into the Union; duties may count kinds of goods "
    "and stand in a sentence of their own",
}
"""What each version of the decision changed in its results, for who replays answers of an earlier one."""


class Facts(Kept, frozen=True, kw_only=True):
    """The settings and calendar values of one shop for one origin. Equal facts have equal hashes.

    `store_location` is the store's id of the location, `rate_cache_s` how long the platform may show an answer. `lanes`
    is what the shop's own deliveries say of the way to the destination, by `windows.lane_key`: least and most working
    days, how many of 1000 keep the most, and on how many parcels that was seen.
    """

    decide_version: int = DECIDE_VERSION
    settings_version: int
    settings: dict[str, Any]
    timezone: str = "UTC"
    origin: Place | None = None
    location_id: str = ""
    hard_deadline_s: float = 10.0
    store_location: str = ""
    rate_cache_s: int = 0
    lanes: dict[str, tuple[int, int, int, int]] = msgspec.field(default_factory=dict)
    adjustments: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)  # See quotes.adjustments.

    def hash(self) -> str:
        """SHA-256 of the canonical JSON."""
        body = json.dumps(self.to_plain(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(body.encode()).hexdigest()


_loaded: OrderedDict[int, tuple[dict[str, Any], ShopSettings]] = OrderedDict()
_MOST_LOADED = 256


def settings_of(facts: Facts) -> ShopSettings:
    """The settings that the facts hold, as the typed model: read once for each body in memory. Raises SettingsError."""
    key = id(facts.settings)
    found = _loaded.get(key)
    if found is not None and found[0] is facts.settings:
        return found[1]
    settings = load(facts.settings)
    _loaded[key] = (facts.settings, settings)
    while len(_loaded) > _MOST_LOADED:
        _loaded.popitem(last=False)
    return settings
