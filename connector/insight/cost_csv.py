"""The report on what shipping cost as a table: one line for each order."""

from __future__ import annotations

from collections.abc import Iterator

from carriers.money import Money
from connector.insight.truth import OrderCost, Truth

HEADER = ("order", "placed", "currency", "quoted", "charged", "bought", "invoiced", "loss", "cause", "causes", "dearer")


def rows(truth: Truth) -> Iterator[tuple[object, ...]]:
    """Amounts in major units; empty where an amount is not known. A loss below nought was left over.

    `dearer` names the parcels whose carrier added something, for `waybill costs dispute`.
    """
    for order in truth.orders:
        yield (
            order.name,
            order.placed.isoformat(),
            truth.currency,
            _amount(order.quoted),
            _amount(order.charged),
            _amount(order.bought),
            _amount(order.invoiced),
            "" if order.loss is None else _amount(Money(order.loss, truth.currency)),
            order.main_cause or "",
            _causes(order, truth.currency),
            " ".join(parcel for _, parcel in order.dearer),
        )


def _causes(order: OrderCost, currency: str) -> str:
    parts = [(cause, Money(minor, currency)) for gap in order.gaps for cause, minor in gap.parts]
    return ", ".join(f"{cause} {amount.amount:f}" for cause, amount in parts)


def _amount(money: Money | None) -> str:
    return "" if money is None else f"{money.amount:f}"
