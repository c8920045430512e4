"""Rate tables: the merchant's own prices from a CSV file, as a carrier that needs no network and sells no labels."""

from __future__ import annotations

from pydantic import BaseModel

from carriers.carrier import CarrierKind
from carriers.rate_table.connection import CAPABILITIES, RateTableCarrier
from carriers.rate_table.csv_format import write_canonical
from carriers.rate_table.errors import BadTable, Fault
from carriers.rate_table.reading import Checked, check_table, read_table
from carriers.rate_table.settings import RateTableSettings, pack, unpack
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock


def connect(settings: BaseModel, outgoing: Outgoing, clock: Clock) -> RateTableCarrier:  # noqa: ARG001  No network.
    """Make a connection. Raises BadTable for a file that is no table, TypeError for another kind's settings."""
    if not isinstance(settings, RateTableSettings):
        raise TypeError(type(settings).__name__)
    return RateTableCarrier(settings, clock)


KIND = CarrierKind(
    name="rate_table",
    title="Rate table (your own prices)",
    settings=RateTableSettings,
    capabilities=CAPABILITIES,
    connect=connect,
)

__all__ = [
    "KIND",
    "BadTable",
    "Checked",
    "Fault",
    "RateTableCarrier",
    "RateTableSettings",
    "check_table",
    "pack",
    "read_table",
    "unpack",
    "write_canonical",
]
