"""What is known of a variant: the merchant's values, the store's, and both merged with the source of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from carriers.money import Money
from connector.packing.goods import UPRIGHT, Extents, Handling

Source = Literal["own", "measured", "field", "store", "default"]
"""Waybill's own table, a measurement that the merchant accepted, the store's metafields, the store, a default."""

DENSEST = 230
"""Grams per cm3, ten times the densest metal: more in a product's weight means that the units are mixed."""
TELLING_WEIGHT_G = 200
"""Below it a placeholder of a few millimetres does no harm."""

SIZE = ("length_mm", "width_mm", "height_mm")
ANYWHERE = "*"
"""Stands for all locations together among the places of a product in a quote."""


class _Sparse(BaseModel):
    """Kept without what is not said, and read again by a later release: unknown fields are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_serializer(mode="wrap")
    def _said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only what differs from its default."""
        fields = type(self).model_fields
        body: dict[str, Any] = handler(self)
        return {name: value for name, value in body.items() if getattr(self, name) != fields[name].get_default()}


class Amount(BaseModel):
    """An amount in minor units."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    minor: int
    currency: str

    @property
    def money(self) -> Money:
        """As money."""
        return Money(self.minor, self.currency)

    @classmethod
    def of(cls, money: Money) -> Amount:
        """From money."""
        return cls(minor=money.minor, currency=money.currency)


class Packaging(_Sparse):
    """How `units` of a variant are packed together at the merchant's: a case of six, measured as it stands.

    Sizes in mm (height is vertical where the way up matters), weight in g. What is not said is not known.
    """

    units: int = 1
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    weight_g: int | None = None
    upright: bool | None = None
    bears_nothing: bool | None = None
    fragile: bool | None = None
    ships_alone: bool | None = None
    own_box: bool | None = None
    barcode: str = ""

    @property
    def size(self) -> tuple[int, int, int] | None:
        """Length, width and height, where all three are known."""
        if self.length_mm is None or self.width_mm is None or self.height_mm is None:
            return None
        return self.length_mm, self.width_mm, self.height_mm


class Place(_Sparse):
    """What lies at one location, and where on its shelves."""

    stock: int | None = None
    bin: str = ""


class Values(Packaging):
    """Everything that may be said of one variant. The fields of Packaging are of a single unit.

    `nests_mm`: what a further unit adds to a stack of them. `group`: goods of different groups never share a carton.
    `hazmat`: the class of dangerous goods, such as 3 or 9. `mpn`: the number that its maker gives it. `value` is what
    customs is told, `unit_cost` what the merchant paid, `price` what one unit sells for in the store: a decimal number
    in the shop's currency. `places` by the store's id of the location. `available_on`: when goods that are not there
    come (again).
    """

    nests_mm: int | None = None
    group: str = ""
    hazmat: str = ""
    hs_code: str = ""
    origin_country: str = ""
    customs_description: str = ""
    mpn: str = ""
    value: Amount | None = None
    unit_cost: Amount | None = None
    price: str = ""
    vendor: str = ""
    tags: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    handling_days: int | None = None
    available_on: date | None = None
    requires_shipping: bool | None = None
    name: str = ""
    product_id: str = ""
    packagings: tuple[Packaging, ...] = ()
    places: dict[str, Place] = Field(default_factory=dict)

    @model_serializer(mode="wrap")
    def _said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        body: dict[str, Any] = handler(self)
        empty = _EMPTY
        return {name: value for name, value in body.items() if getattr(self, name) != empty[name]}

    def said(self) -> set[str]:
        """The names of what is said."""
        return {name for name in type(self).model_fields if name in _EMPTY and getattr(self, name) != _EMPTY[name]}


_EMPTY: Mapping[str, Any] = {
    name: field.get_default(call_default_factory=True) for name, field in Values.model_fields.items()
}


class Piece(NamedTuple):
    """One thing to be packed: how many units it is, its size and weight where known, and how it is handled."""

    units: int
    size: Extents | None
    weight_g: int | None
    handling: Handling


def _piece(said: Packaging, group: str, nests_mm: int | None) -> Piece:
    sides = said.size
    size = None if sides is None else Extents(sides[1], sides[0], sides[2])
    handling = Handling(
        may_stand=UPRIGHT if said.upright else (True, True, True),
        bears=not (said.bears_nothing or said.fragile),
        alone=bool(said.ships_alone),
        own_box=bool(said.own_box),
        group=group,
        nests_by=nests_mm if size is not None and nests_mm is not None and nests_mm <= size.depth else None,
    )
    return Piece(said.units, size, said.weight_g, handling)


class Product(Values):
    """A variant as rooms see it: merged, each value with its source. `key` is how the catalogue names it."""

    key: str = ""
    sku: str = ""
    sources: dict[str, Source] = Field(default_factory=dict)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The ways that it is packed: cases, largest first, then the single unit. Cases of unknown size are none."""
        group = self.group or (f"hazmat {self.hazmat}" if self.hazmat else "")
        cases = sorted((each for each in self.packagings if each.units > 1), key=lambda each: -each.units)
        found = [_piece(case, group, None) for case in cases if case.size is not None and case.weight_g is not None]
        return (*found, _piece(self, group, self.nests_mm))

    @cached_property
    def body(self) -> dict[str, Any]:
        """As it is stored: made once, since one product is in many carts. Not to be changed."""
        said = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: _plain(value) for name, value in said if value != _EMPTY_PRODUCT[name]}

    @model_serializer(mode="plain")
    def _kept(self) -> dict[str, Any]:
        return self.body

    def source(self, name: str) -> Source | None:
        """Where a value comes from; None where it is not known."""
        return self.sources.get(name)

    def for_quote(self) -> Product:
        """What a quote keeps: without names, shelves and barcodes, which no price depends on.

        Of the stock it keeps where there is none, with ANYWHERE where there is none at all; counts change too often.
        """
        dropped: dict[str, Any] = {
            "name": "",
            "barcode": "",
            "places": self._nothing_left(),
            "customs_description": "",
            "mpn": "",
            "product_id": "",
            "price": "",
        }
        kept = {name: source for name, source in self.sources.items() if name not in dropped}
        if not dropped["places"] and any(place.stock is not None for place in self.places.values()):
            dropped["available_on"] = None  # They are here.
        slim = self.model_copy(update={**dropped, "sources": kept})
        for made in ("body", "pieces"):
            slim.__dict__.pop(made, None)
        return slim

    def is_out_of_stock(self, location: str) -> bool:
        """Whether nothing is left at the store's location, or at any that is known; False where that is not known."""
        place = self.places.get(location) or self.places.get(ANYWHERE)
        return place is not None and place.stock is not None and place.stock <= 0

    def _nothing_left(self) -> dict[str, Place]:
        counted = {name: place.stock for name, place in self.places.items() if place.stock is not None}
        empty = {name: Place(stock=0) for name, stock in counted.items() if stock <= 0}
        return empty | {ANYWHERE: Place(stock=0)} if empty and len(empty) == len(counted) else empty


def _plain(value: Any) -> Any:
    """A field's value as JSON has it."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value


_EMPTY_PRODUCT: Mapping[str, Any] = {
    name: field.get_default(call_default_factory=True) for name, field in Product.model_fields.items()
}


def key_of(variant_id: str, sku: str) -> str:
    """A variant's name in the catalogue: its number, whichever form the platform gives it in, else `sku:` and SKU."""
    return variant_id.rsplit("/", 1)[-1] or f"sku:{sku}"


def merge(
    key: str, sku: str, layers: tuple[tuple[Source, Values], ...], measured: frozenset[str] = frozenset()
) -> Product:
    """One product from several layers, the first that says a value wins, and the value knows its source.

    A size is taken whole: three edges of one layer, never one from here and two from there. `measured` names values of
    the merchant's own layer that came from an accepted measurement. Places are merged location by location.
    """
    found: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    places: dict[str, Place] = {}
    for source, values in layers:
        said = values.said()
        if values.size is None or "length_mm" in found:
            said -= set(SIZE)
        for name in sorted(said - found.keys() - {"places", "units"}):
            found[name] = getattr(values, name)
            sources[name] = "measured" if source == "own" and name in measured else source
        for location, place in values.places.items():
            before = places.get(location, Place())
            places[location] = Place(
                stock=before.stock if before.stock is not None else place.stock, bin=before.bin or place.bin
            )
        if values.places:
            sources.setdefault("places", source)
    return Product.model_construct(key=key, sku=sku, sources=sources, places=places, **found)


def too_dense(weight_g: int, size: tuple[int, int, int]) -> bool:
    """Whether weight and size cannot belong together: their units are mixed."""
    return weight_g >= TELLING_WEIGHT_G and weight_g * 1000 > DENSEST * size[0] * size[1] * size[2]
