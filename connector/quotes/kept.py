"""Values that are stored with a quote, as JSON: cheap to make, and read again by a later version."""

from __future__ import annotations

from threading import Lock
from typing import Any, Self

import msgspec

from connector.catalogue.product import Product


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Frozen, written without what is as usual, and read without what this version does not know.

    Fields are checked where a value is read, not where it is made: some hundred are made for each quote.
    """

    def but(self, **changes: Any) -> Self:
        """The same with other values in some fields."""
        return msgspec.structs.replace(self, **changes)

    def to_json(self) -> bytes:
        """As it is stored."""
        return _ENCODER.encode(self)

    @classmethod
    def from_json(cls, body: bytes | str) -> Self:
        """From what `to_json` of this or an earlier version wrote. Raises msgspec.ValidationError."""
        found: Self = decoder(cls).decode(body)
        return found

    def to_plain(self) -> dict[str, Any]:
        """As JSON that somebody else writes."""
        body: dict[str, Any] = msgspec.to_builtins(self, enc_hook=_plain)
        return body

    @classmethod
    def from_plain(cls, body: Any) -> Self:
        """From JSON that somebody else has read. Raises msgspec.ValidationError."""
        found: Self = plain_as(cls, body)
        return found


def dump(values: Any) -> bytes:
    """Several kept values as JSON."""
    return _ENCODER.encode(values)


_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}
_ONE_AT_A_TIME = Lock()


def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """What reads JSON as values of a kind.

    msgspec (0.22) learns a struct's fields at its first use and lets other threads see it half done, which ends the
    process; so that is done once, by one thread at a time, and before anything is read.
    """
    found = _DECODERS.get(kind)
    if found is None:
        with _ONE_AT_A_TIME:
            found = _DECODERS.setdefault(kind, msgspec.json.Decoder(kind, dec_hook=_typed))
    return found


def plain_as(kind: Any, body: Any) -> Any:
    """JSON that somebody else has read, as values of a kind. Raises msgspec.ValidationError."""
    decoder(kind)
    return msgspec.convert(body, kind, dec_hook=_typed)


def _plain(value: Any) -> Any:
    """Products know themselves how they are kept."""
    if isinstance(value, Product):
        return value.body
    raise TypeError(f"{type(value).__name__} is not kept with a quote")


def _typed(kind: type[Any], body: Any) -> Any:
    if kind is Product:
        return Product.model_validate(body)
    raise TypeError(f"{kind.__name__} is not kept with a quote")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
