"""Gaps in a catalogue that will cost money or block a destination, worst first, each naming product and field. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from connector.catalogue.borders import Spot, meets_customs
from connector.catalogue.keep import Entry
from connector.catalogue.product import Product, too_dense
from connector.words.reason import Reason

Severity = Literal["blocks", "costs", "look"]
_RANK: Mapping[str, int] = {"blocks": 0, "costs": 1, "look": 2}


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap: `blocks` an order or a destination, `costs` money in the checkout, or is to be looked at."""

    severity: Severity
    field: str
    key: str
    sku: str
    name: str
    sold: int
    why: Reason


def gaps(
    entries: Iterable[Entry],
    *,
    destination: str = "",
    origins: Sequence[str] = (),
    has_default_weight: bool = False,
    has_cartons: bool = False,
    room: tuple[int, int, int] | None = None,
    sold: Mapping[str, int] | None = None,
) -> list[Gap]:
    """All gaps, those that block first, then by units sold. `destination` and `origins` are countries' two letters.

    `room` is the inner size of the largest carton, edges longest first, mm.
    """
    sales = sold or {}
    abroad = bool(destination) and crosses_customs(origins, destination)
    found: list[Gap] = []
    for entry in entries:
        product = entry.product
        if product.requires_shipping is False:
            continue
        if entry.is_by_sku and not entry.own.said():
            continue
        units = sales.get(entry.key, 0)
        for severity, field, why in _of(entry, product, abroad, has_default_weight, has_cartons, room):
            found.append(Gap(severity, field, entry.key, entry.sku, product.name or entry.sku or entry.key, units, why))
    return sorted(found, key=lambda gap: (_RANK[gap.severity], -gap.sold, gap.name, gap.field))


def crosses_customs(origins: Sequence[str], destination: str) -> bool:
    """Whether goods from any of these countries meet customs on the way."""
    return any(meets_customs(Spot(origin), Spot(destination)) for origin in origins or ("",))


def _of(
    entry: Entry,
    product: Product,
    abroad: bool,
    has_default_weight: bool,
    has_cartons: bool,
    room: tuple[int, int, int] | None,
) -> Iterator[tuple[Severity, str, Reason]]:
    if product.weight_g is None:
        if has_default_weight:
            yield "costs", "weight", Reason("gap_weight_default")
        else:
            yield "blocks", "weight", Reason("gap_weight")
    if product.size is None and has_cartons:
        yield "costs", "size", Reason("gap_size")
    elif product.size is not None:
        yield from _size(product, product.size, room)
    for name in entry.bad_fields:
        yield "look", name, Reason("gap_field", {"field": name})
    if abroad:
        yield from _customs(product)


def _size(
    product: Product, size: tuple[int, int, int], room: tuple[int, int, int] | None
) -> Iterator[tuple[Severity, str, Reason]]:
    if product.weight_g is not None and too_dense(product.weight_g, size):
        yield "costs", "weight", Reason("gap_density", {"grams": product.weight_g, "size": "x".join(map(str, size))})
    fits = (
        room is None
        or product.own_box
        or all(side <= free for side, free in zip(sorted(size, reverse=True), room, strict=True))
    )
    if not fits:
        yield "blocks", "size", Reason("gap_fits_nothing", {"size": "x".join(map(str, size))})


def _customs(product: Product) -> Iterator[tuple[Severity, str, Reason]]:
    if not product.hs_code:
        yield "blocks", "hs_code", Reason("gap_hs_code")
    if not product.origin_country:
        yield "blocks", "origin_country", Reason("gap_origin_country")
    if not product.customs_description:
        yield "look", "customs_description", Reason("gap_description")
    if product.hazmat:
        yield "blocks", "hazmat", Reason("gap_hazmat", {"class": product.hazmat})
