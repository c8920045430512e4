"""What a rate table's account keeps: the file as it was imported, and the time zone of its dates."""

from __future__ import annotations

import base64
import binascii
import zlib
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from carriers.rate_table.csv_format import MOST_BYTES


class RateTableSettings(BaseModel):
    """One table. `file` is the imported file, byte for byte, packed by `pack`; it holds no credentials.

    `timezone` is the shop's: in it a surcharge begins and ends.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(repr=False)
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("No time zone has this name.") from error
        return value

    @field_validator("file")
    @classmethod
    def _packed(cls, value: str) -> str:
        unpack(value)
        return value


def pack(raw: bytes) -> str:
    """A file as text, about a tenth of its size."""
    return base64.b85encode(zlib.compress(raw, 9)).decode()


def unpack(packed: str) -> bytes:
    """What was packed. Raises ValueError for anything else, and for what would not have been taken in."""
    try:
        opener = zlib.decompressobj()
        raw = opener.decompress(base64.b85decode(packed), MOST_BYTES + 1)
    except (zlib.error, binascii.Error) as error:
        raise ValueError("This is no packed file.") from error
    if len(raw) > MOST_BYTES or not opener.eof:
        raise ValueError("This is no packed file.")
    return raw
