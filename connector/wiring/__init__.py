"""The only place that builds, binds and registers: from process settings to a house whose rooms know each other."""

from __future__ import annotations

from connector.wiring.front import Checkout, Surroundings, desk_house, follower, receiver
from connector.wiring.house import House, migrate_house, open_house, prepare_database
from connector.wiring.jobs import register_jobs
from connector.wiring.kinds import CARRIERS, PLATFORMS, STORES
from connector.wiring.storefront import storefront_house
from connector.wiring.watching import post_of, watch_of

__all__ = [
    "CARRIERS",
    "PLATFORMS",
    "STORES",
    "Checkout",
    "House",
    "Surroundings",
    "desk_house",
    "follower",
    "migrate_house",
    "open_house",
    "post_of",
    "prepare_database",
    "receiver",
    "register_jobs",
    "storefront_house",
    "watch_of",
]
