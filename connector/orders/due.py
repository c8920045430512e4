"""What a paid order's shipping should have cost by the shop's own thresholds, against what was paid for it.

Platforms hold a shipping price for minutes (Shopify: 15) and do not ask again when a coupon is typed, a customer logs
in or the cart changes. So the quote that the buyer chose from is decided again with what was really bought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, Column, Connection, Index, String

from carriers.money import Money
from connector.labels.tables import parcels
from connector.orders.quote_of import Linked
from connector.quotes.decide import decide
from connector.quotes.facts import settings_of
from connector.quotes.ledger import LedgerRow, load
from connector.quotes.reduced import ReducedCart, ReducedTotals
from connector.setting_parts import THRESHOLD
from connector.shop_settings import ShopSettings
from connector.storage.database import insert_new
from connector.storage.schema import Moment, TenantTable, id_column
from connector.store import GroupState, Order
from connector.words.reason import Reason

Kind = Literal["right", "free", "charged", "discounted", "unknown"]
"""right; wrongly free (or too cheap); wrongly charged; less by a discount of the store's own; not to be told."""

dues = TenantTable(
    "shipping_dues",
    id_column("order_id", primary_key=True),
    Column("at", Moment, nullable=False),
    Column("placed_at", Moment, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("due_minor", BigInteger),  # empty where it cannot be told
    Column("paid_minor", BigInteger, nullable=False),
    Column("cost_minor", BigInteger, nullable=False),  # due less paid; negative where the buyer paid too much
    Column("counted_minor", BigInteger),  # the goods as they were paid, after discounts
    Column("why", JSON),
    Column("guard", JSON),  # what the margin guard said of the offer that was chosen
    Index(None, "shop_id", "kind", "placed_at"),
    Index(None, "shop_id", "placed_at"),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """One order: what was due and paid for shipping, and what that makes it."""

    kind: Kind
    paid: Money
    due: Money | None = None
    why: Reason | None = None

    @property
    def cost(self) -> int:
        """Due less paid, in minor units, where it is the shop's or the buyer's loss; else 0."""
        if self.due is None or self.kind not in {"free", "charged"}:
            return 0
        return self.due.minor - self.paid.minor


def guard_said(connection: Connection, shop_id: str, order_id: str) -> Reason | None:
    """What the margin guard said of the offer that the order's buyer chose; None where it said nothing."""
    said = connection.execute(dues.select(shop_id, dues.c.guard).where(dues.c.order_id == order_id)).scalar()
    return None if said is None else Reason.from_json(said)


def has_thresholds(settings: ShopSettings) -> bool:
    """Whether there is anything to compare with: thresholds, or the rule that the short form once was."""
    return bool(settings.rules.thresholds) or any(rule.name == THRESHOLD for rule in settings.rules.rules)


def as_paid(cart: ReducedCart, goods: Money) -> ReducedCart:
    """The cart of a quote with the goods' value as it was paid, after discounts, none of which is on shipping."""
    before = cart.totals
    listed = sum(line.price * line.quantity for line in cart.lines)
    subtotal = max(goods.minor, before.subtotal if before is not None else listed)
    total = None
    if before is not None and before.total is not None:
        net = max(0, before.subtotal - (before.discount or 0))
        tax = max(0, before.total - net)
        total = goods.minor + (tax * goods.minor // net if net else 0)
    totals = ReducedTotals(
        subtotal=subtotal,
        discount=subtotal - goods.minor,
        total=total,
        tax="unknown" if before is None else before.tax,
        shipping_discount=0,
    )
    return cart.but(totals=totals)


def due_by(row: LedgerRow, code: str, goods: Money) -> Money | None:
    """What the offer should have cost for these goods; None where it would not have been shown."""
    again = decide(as_paid(row.cart, goods), row.facts, row.answers, row.at)
    return next((Money(each.minor, each.currency) for each in again.offers if each.code == code), None)


def compare(order: Order, linked: Sequence[Linked | None]) -> Compared:
    """Compare an order with the quotes of its groups; None among them: that group's quote is not known."""
    paid = _sum([line.paid or line.price for line in order.shipping_lines], order.currency)
    asked = _sum([line.price for line in order.shipping_lines], order.currency)
    if paid is None or asked is None:
        return Compared("unknown", Money.zero(order.currency), why=Reason("due_other_currency"))
    if order.subtotal is None or order.subtotal.currency != order.currency:
        return Compared("unknown", paid, why=Reason("due_goods_unknown"))
    if not linked or None in linked:
        return Compared("unknown", paid, why=Reason("due_quote_unknown"))
    amounts: list[Money] = []
    for each in linked:
        assert each is not None  # noqa: S101 - as was just asked.
        amount = due_by(each.quote, each.offer.code, order.subtotal)
        if amount is None:
            return Compared("unknown", paid, why=Reason("due_offer_gone", {"offer": each.offer.name}))
        amounts.append(amount)
    due = _sum(amounts, order.currency)
    if due is None:
        return Compared("unknown", paid, why=Reason("due_other_currency"))
    if paid == due:
        return Compared("right", paid, due)
    if paid > due:
        return Compared("charged", paid, due, Reason("due_charged", {"due": due, "paid": paid}))
    if asked >= due:
        return Compared("discounted", paid, due, Reason("due_discounted", {"due": due, "paid": paid}))
    return Compared("free", paid, due, Reason("due_free", {"due": due, "paid": paid, "goods": order.subtotal}))


def compare_paid(connection: Connection, shop_id: str, order_id: str, order: Order, now: datetime) -> Compared | None:
    """Compare a paid order and keep what comes out; None where no quote of it had a threshold.

    An order that was compared is compared again when it is read again, until it is found without its quotes: then what
    is known stays.
    """
    rows = connection.execute(
        parcels.select(shop_id).where(parcels.c.order_id == order_id, parcels.c.state != "cancelled")
    ).all()
    wanted = [each.id for each in order.groups if each.state not in {GroupState.NOT_OURS, GroupState.CANCELLED}]
    by_group = {row.group_id: row for row in rows if row.quote_id}
    linked = [_linked(connection, shop_id, by_group.get(group)) for group in wanted]
    known = [each for each in linked if each is not None]
    if not any(has_thresholds(settings_of(each.quote.facts)) for each in known):
        return None
    found = compare(order, linked)
    said = _guarded(known)
    values: dict[str, Any] = {
        "at": now,
        "placed_at": order.placed_at,
        "kind": found.kind,
        "currency": found.paid.currency,
        "due_minor": None if found.due is None else found.due.minor,
        "paid_minor": found.paid.minor,
        "cost_minor": found.cost,
        "counted_minor": None if order.subtotal is None else order.subtotal.minor,
        "why": None if found.why is None else found.why.to_json(),
        "guard": None if said is None else said.to_json(),
    }
    if not insert_new(connection, dues.insert(shop_id, order_id=order_id, **values)) and found.kind != "unknown":
        connection.execute(dues.update(shop_id).where(dues.c.order_id == order_id).values(**values))
    return found


def _linked(connection: Connection, shop_id: str, parcel: Any) -> Linked | None:
    row = None if parcel is None else load(connection, shop_id, parcel.quote_id)
    if row is None:
        return None
    offer = next((each for each in row.decision.offers if each.code == parcel.offer_code), None)
    return None if offer is None else Linked(row, offer)


def _guarded(linked: Sequence[Linked]) -> Reason | None:
    """What the margin guard said of an offer that was chosen."""
    for each in linked:
        for note in each.quote.decision.notes:
            if note.code == "guard_flagged" and note.params.get("offer") == each.offer.code:
                return note
    return None


def _sum(amounts: Sequence[Money], currency: str) -> Money | None:
    if any(each.currency != currency for each in amounts):
        return None
    return Money(sum(each.minor for each in amounts), currency)
