"""Orders with their amounts and the causes of their gaps, read from the ledger, the labels and the invoices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_

from carriers.invoice import Measures
from carriers.money import Money
from connector.insight.gaps import Attribution, Charge, Evidence, attribute
from connector.insight.prices import Lists
from connector.insight.repriced import Repriced
from connector.insight.truth import OrderCost, Truth, report
from connector.labels.amounts import entries
from connector.labels.fees import fees_within
from connector.labels.invoice_csv import measures_of
from connector.labels.invoice_tables import invoice_lines
from connector.labels.tables import labels, parcels
from connector.orders.tables import orders
from connector.quotes.decision import Decision
from connector.quotes.ledger import quotes
from connector.storage.database import in_parts

_OF_PARCELS = (
    parcels.c.id,
    parcels.c.order_id,
    parcels.c.number,
    parcels.c.count,
    parcels.c.grams,
    parcels.c.size_mm,
    parcels.c.quote_id,
    parcels.c.offer_code,
    parcels.c.bought_as,
)
_OF_LABELS = (
    labels.c.id,
    labels.c.parcel_id,
    labels.c.account_id,
    labels.c.carrier,
    labels.c.booked_rate,
    labels.c.booked_minor,
    labels.c.booked_currency,
    labels.c.tracking_code,
    labels.c.created_at,
    labels.c.settled_at,
)
_OF_ONE = ((*_OF_PARCELS, parcels.c.contents, parcels.c.goods, parcels.c.carton), (*_OF_LABELS, labels.c.rate))
"""What only a packet for a dispute says."""

STAND_INS = frozenset({"learned", "safety"})
"""Where an offer's price came from when it was not the carrier's own."""


@dataclass(frozen=True, slots=True)
class LabelTruth:
    """One label with what led to its price and what came after; `lines` are the invoice's."""

    label: Any
    parcel: Any
    evidence: Evidence
    attribution: Attribution
    lines: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Dated:
    """An order with its costs; None where they are not in the currency that was asked for."""

    placed_at: datetime
    cost: OrderCost | None


@dataclass(frozen=True, slots=True)
class Costs:
    """Orders by id. `by_others`: a gap of one was sized by what others cost, so that none stands for itself."""

    orders: dict[str, Dated]
    by_others: bool

    def report(self, currency: str, since: datetime, limit: Money) -> Truth:
        """The figures of those that were placed since then."""
        known = [each.cost for each in self.orders.values() if each.placed_at >= since]
        found = [each for each in known if each is not None]
        return report(found, currency, limit, other_currency=len(known) - len(found))


def truth(
    connection: Connection, shop_id: str, currency: str, since: datetime, limit: Money, lists: Lists | None = None
) -> Truth:
    """The report on the orders since then that are in the shop's currency; others are counted.

    `lists` are the shop's lists of prices, see `prices.lists_of`.
    """
    return order_costs(connection, shop_id, currency, since, lists).report(currency, since, limit)


def order_costs(
    connection: Connection,
    shop_id: str,
    currency: str,
    since: datetime | None,
    lists: Lists | None = None,
    ids: Collection[str] | None = None,
) -> Costs:
    """What each paid order since then cost; with `ids` only these."""
    columns = (orders.c.id, orders.c.name, orders.c.currency, orders.c.placed_at, orders.c.charged_minor)
    chosen = [] if since is None else [orders.c.placed_at >= since]
    if ids is not None:
        chosen.append(orders.c.id.in_(ids))
    rows = connection.execute(orders.select(shop_id, *columns).where(*chosen, orders.c.paid.is_(True))).all()
    recent = orders.select(shop_id, orders.c.id).where(*chosen)
    sums = _sums(connection, shop_id, recent)
    gaps: dict[str, list[Attribution]] = defaultdict(list)
    dearer: dict[str, list[tuple[int, str]]] = defaultdict(list)
    invoiced: set[str] = set()
    foreign: set[str] = set()
    found, by_others = _truths(connection, shop_id, parcels.c.order_id.in_(recent), lists)
    for each in found:
        if each.label.booked_currency != currency:
            foreign.add(each.parcel.order_id)
            continue
        if each.lines:
            invoiced.add(each.parcel.order_id)
        gaps[each.parcel.order_id].append(each.attribution)
        if each.evidence.invoiced > each.evidence.bought:
            dearer[each.parcel.order_id].append((each.parcel.number, each.parcel.id))
    known: dict[str, Dated] = {}
    for row in rows:
        cost = None
        if row.currency == currency and row.id not in foreign:
            cost = _order(row, sums[row.id], gaps.get(row.id, []), row.id in invoiced, dearer.get(row.id, []))
        known[row.id] = Dated(row.placed_at, cost)
    return Costs(known, by_others)


def order_cost(
    connection: Connection, shop_id: str, order_id: str, currency: str, lists: Lists | None = None
) -> OrderCost | None:
    """What one order cost; None where it is not paid, or not in this currency."""
    found = order_costs(connection, shop_id, currency, None, lists, (order_id,)).orders.get(order_id)
    return None if found is None else found.cost


def label_truths(
    connection: Connection,
    shop_id: str,
    since: datetime,
    *,
    parcel_id: str | None = None,
    lists: Lists | None = None,
) -> list[LabelTruth]:
    """The labels that are paid for, of orders since then or of one parcel."""
    if parcel_id is not None:
        return _truths(connection, shop_id, parcels.c.id == parcel_id, lists, _OF_ONE)[0]
    recent = orders.select(shop_id, orders.c.id).where(orders.c.placed_at >= since)
    return _truths(connection, shop_id, parcels.c.order_id.in_(recent), lists)[0]


def _truths(
    connection: Connection,
    shop_id: str,
    which: ColumnElement[bool],
    lists: Lists | None,
    columns: tuple[tuple[Any, ...], tuple[Any, ...]] = (_OF_PARCELS, _OF_LABELS),
) -> tuple[list[LabelTruth], bool]:
    """The labels that are paid for of these parcels, and whether one was priced by what others cost."""
    of_parcels, of_labels = columns
    wanted = parcels.select(shop_id, parcels.c.id).where(which)
    boxes = {row.id: row for row in connection.execute(parcels.select(shop_id, *of_parcels).where(which)).all()}
    chosen = labels.select(shop_id, *of_labels).where(
        labels.c.booked_minor.is_not(None),
        labels.c.state.in_(("bought", "void_refused")),
        labels.c.parcel_id.in_(wanted),
    )
    rows = connection.execute(chosen.order_by(labels.c.created_at)).all()
    lines: dict[str, list[Any]] = defaultdict(list)
    theirs = labels.select(shop_id, labels.c.id).where(labels.c.parcel_id.in_(wanted))
    told = invoice_lines.select(shop_id).where(invoice_lines.c.label_id.in_(theirs))
    for line in connection.execute(told.order_by(invoice_lines.c.at)).all():
        lines[line.label_id].append(line)
    sources = _sources(connection, shop_id, list(boxes.values()))
    known = [
        (row, boxes[row.parcel_id], _evidence(row, boxes[row.parcel_id], lines[row.id], sources), lines[row.id])
        for row in rows
    ]
    priced = Repriced(connection, shop_id, lists or {}, known)
    found = []
    for row, parcel, plain, mine in known:
        evidence = priced.complete(row, parcel, plain)
        found.append(LabelTruth(row, parcel, evidence, attribute(evidence), tuple(mine)))
    return found, priced.by_others


def _evidence(label: Any, parcel: Any, lines: list[Any], sources: Mapping[tuple[str, str], str]) -> Evidence:
    as_bought = parcel.bought_as or {}
    same = as_bought.get("currency") == label.booked_currency and as_bought.get("how") != "offer"
    charges = [Charge(word, minor) for line in lines for word, minor in (line.details or {}).get("charges", ())]
    captured = [measures_of((line.details or {}).get("captured")) for line in lines]
    claimed = _merged([measures_of((line.details or {}).get("claimed")) for line in lines])
    added = sum(line.minor for line in lines if line.currency == label.booked_currency)
    size = parcel.size_mm
    source = sources.get((parcel.quote_id or "", parcel.offer_code), "")
    return Evidence(
        quoted=as_bought["minor"] if same else None,
        bought=label.booked_minor,
        invoiced=label.booked_minor + added,
        stand_in=source in STAND_INS,
        charges=tuple(charges) if added else (),
        planned=Measures(
            parcel.grams,
            None if size is None else (size[0], size[1], size[2]),
            None,
            claimed.zone,
            claimed.residential,
        ),
        captured=_merged(captured),
        fees=fees_within(label),
    )


def _merged(told: list[Measures]) -> Measures:
    """What several lines say of one parcel: the last that says something of each."""
    found = Measures()
    for each in told:
        found = Measures(
            each.grams or found.grams,
            each.size or found.size,
            each.billed_grams or found.billed_grams,
            each.zone or found.zone,
            found.residential if each.residential is None else each.residential,
        )
    return found


def _sources(connection: Connection, shop_id: str, boxes: list[Any]) -> dict[tuple[str, str], str]:
    """Where the price of each parcel's offer came from, by quote and offer."""
    found: dict[tuple[str, str], str] = {}
    ids = sorted({row.quote_id for row in boxes if row.quote_id})
    for some in in_parts(ids):
        part = quotes.c.id.in_(some)
        stood_in = or_(quotes.c.source.in_(STAND_INS), quotes.c.source.is_(None))
        chosen = quotes.select(shop_id, quotes.c.id, quotes.c.decision).where(part, stood_in)
        for quote_id, decision in connection.execute(chosen).all():
            found |= {(quote_id, offer.code): offer.source for offer in Decision.from_plain(decision).offers}
    return found


def _sums(connection: Connection, shop_id: str, recent: Select[Any]) -> dict[str, dict[tuple[str, str], int]]:
    """Minor units by order, kind and currency."""
    grouped = entries.select(
        shop_id, entries.c.order_id, entries.c.kind, entries.c.currency, func.sum(entries.c.minor).label("minor")
    ).where(entries.c.order_id.in_(recent))
    found: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in connection.execute(grouped.group_by(entries.c.order_id, entries.c.kind, entries.c.currency)).all():
        found[row.order_id][row.kind, row.currency] = int(row.minor)
    return found


def _order(
    row: Any,
    sums: Mapping[tuple[str, str], int],
    gaps: list[Attribution],
    is_invoiced: bool,
    dearer: list[tuple[int, str]],
) -> OrderCost:
    currency = row.currency

    def of(*kinds: str) -> int:
        return sum(sums.get((kind, currency), 0) for kind in kinds)

    def known(*kinds: str) -> bool:
        return any((kind, currency) in sums for kind in kinds)

    bought = of("bought", "fee", "by_hand") - of("by_hand_back", "fee_back", "refunded", "uncharged")
    invoiced = bought + of("adjusted") - of("claim_paid")
    has_cost = known("bought", "by_hand")
    return OrderCost(
        order_id=row.id,
        name=row.name,
        placed=row.placed_at.date(),
        charged=Money(row.charged_minor, currency),
        quoted=Money(of("quoted"), currency) if known("quoted") else None,
        bought=Money(bought, currency) if has_cost else None,
        invoiced=Money(invoiced, currency) if has_cost and (is_invoiced or known("adjusted")) else None,
        gaps=tuple(gap for gap in gaps if gap.parts),
        dearer=tuple(dearer),
    )
