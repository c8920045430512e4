"""How often a page may ask, and for how many places: what a buyer needs is less than what a price list is made of.

Addresses of visitors are kept as keyed digests in this process's memory alone, and forgotten with it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MOST_CLIENTS = 50_000
_FULL = 0.25
"""How much of a minute's questions may come at once."""


@dataclass(frozen=True, slots=True)
class TooMuch:
    """Not now; after so many whole seconds it may be tried again."""

    code: str
    retry_after_s: int


class Pace:
    """So many a minute for each key, a quarter of them at once; the keys used longest ago are forgotten first."""

    def __init__(self, per_minute: int, most_keys: int = _MOST_CLIENTS) -> None:
        self._rate = per_minute / 60
        self._full = max(1.0, per_minute * _FULL)
        self._most = most_keys
        self._left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, key: bytes, now: float) -> int:
        """0, or after how many seconds the next one may come. `now` in seconds of a clock that only goes forward."""
        left, at = self._left.pop(key, (self._full, now))
        left = min(self._full, left + (now - at) * self._rate)
        wait = 0 if left >= 1 else max(1, int((1 - left) / self._rate + 0.999))
        self._left[key] = (left if wait else left - 1, now)
        while len(self._left) > self._most:
            self._left.popitem(last=False)
        return wait


class Places:
    """How many different destinations a visitor of a shop asked for today."""

    def __init__(self, most_keys: int = _MOST_CLIENTS) -> None:
        self._most = most_keys
        self._day = ""
        self._asked: OrderedDict[bytes, set[bytes]] = OrderedDict()

    def take(self, key: bytes, place: bytes, budget: int, now: datetime) -> int:
        """0, or the seconds until a new destination may be asked for; those asked for before always may."""
        today = now.astimezone(UTC).date().isoformat()
        if today != self._day:
            self._day = today
            self._asked.clear()
        known = self._asked.pop(key, set())
        self._asked[key] = known
        while len(self._asked) > self._most:
            self._asked.popitem(last=False)
        if place in known:
            return 0
        if len(known) >= budget:
            midnight = (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            return max(1, int((midnight - now).total_seconds()))
        known.add(place)
        return 0


class Pressing:
    """Both limits for every shop: by visitor, by shop, and by visitor and day."""

    def __init__(self, per_minute: int, shop_per_minute: int) -> None:
        self._key = secrets.token_bytes(32)
        self._visitors = Pace(per_minute)
        self._shops = Pace(shop_per_minute)
        self._places = Places()

    def too_often(self, shop_id: str, client: str, now: float) -> TooMuch | None:
        """Whether the visitor, or all visitors of the shop together, ask too often."""
        wait = self._visitors.take(self._digest(shop_id, client), now) or self._shops.take(shop_id.encode(), now)
        return TooMuch("too_often", wait) if wait else None

    def too_far(self, shop_id: str, client: str, place: tuple[str, ...], budget: int, now: datetime) -> TooMuch | None:
        """Whether this is one destination too many today."""
        wait = self._places.take(self._digest(shop_id, client), self._digest(*place), budget, now)
        return TooMuch("too_many_places", wait) if wait else None

    def _digest(self, *parts: str) -> bytes:
        text = "\n".join(parts).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=12).digest()


def client_of(peer: str, headers: Mapping[str, str], proxies: int) -> str:
    """Whom the question comes from: the peer, or what the outermost of our `proxies` says of it.

    Headers are believed only where the peer is a private address, as a proxy's on the same machine or network. Of IPv6
    the network (64 bits) stands for the visitor.
    """
    found = peer
    if proxies > 0 and _is_private(peer):
        named = [each.strip() for each in headers.get("x-forwarded-for", "").split(",") if each.strip()]
        if named:
            found = named[-min(proxies, len(named))]
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return found[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _is_private(peer: str) -> bool:
    try:
        return not ipaddress.ip_address(peer).is_global
    except ValueError:
        return False
