"""The addresses that a store has to know, and whether it may be told new ones."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from connector.directory import ShopEntry
from connector.store import Callbacks


def callbacks_of(public_url: str, shop: ShopEntry) -> Callbacks:
    """The URLs that the store has to know."""
    return Callbacks(
        f"{public_url}/rates/{shop.id}/{shop.rates_token}", f"{public_url}/hooks/{shop.id}/{shop.hooks_token}"
    )


def is_public(url: str) -> bool:
    """Whether a platform elsewhere could reach this address: https, and no address of this machine or network."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or host == "localhost" or "." not in host.strip("."):
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return True


def may_move(known: str, wanted: str) -> bool:
    """Whether callbacks may be moved without a person: never from a public address to one that is none.

    Who starts a worker without WAYBILL_PUBLIC_URL has the default address, and would cut a selling shop off.
    """
    return known != wanted and (is_public(wanted) or not is_public(known))
