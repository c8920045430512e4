"""What is claimed of a carrier for a label (a wrong adjustment, a lost parcel), and what came of the claim."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func

from carriers.money import Money, MoneyError
from connector.attention.board import settled
from connector.labels.amounts import book, entries
from connector.labels.claim_windows import CODES
from connector.labels.record import lock_parcel, parcel_of
from connector.labels.tables import labels
from connector.storage import audit
from connector.storage.audit import Actor
from webhooks.errors import WaybillError

ClaimAct = Literal["claimed", "claim_paid", "claim_lost"]


class NotClaimable(WaybillError):
    """The parcel has no label that was paid for, the amount is none, or more came of a claim than was claimed."""


def note_claim(
    connection: Connection,
    shop_id: str,
    parcel_id: str,
    act: ClaimAct,
    amount: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Money:
    """Book a claim, or what the carrier paid or denied of it; what is open of it then. Raises NotClaimable."""
    lock_parcel(connection, shop_id, parcel_id)
    found = claimable(connection, shop_id, parcel_id)
    if found is None:
        raise NotClaimable("This parcel has no label that was paid for.", detail=parcel_id)
    parcel, label = found
    try:
        money = Money.parse(amount, label.booked_currency)
    except MoneyError as error:
        raise NotClaimable(f"{amount!r} is not an amount in {label.booked_currency}.", detail="--amount") from error
    left = open_claim(connection, shop_id, label.id)
    if money.minor <= 0 or (act != "claimed" and money.minor > left):
        raise NotClaimable(f"{Money(left, money.currency)} of a claim is open.", detail="--amount")
    about = {"order_id": parcel.order_id, "parcel_id": parcel_id, "label_id": label.id}
    cause = f"{label.id}:{now.isoformat()}"
    if not book(connection, shop_id, act, money, cause=cause, now=now, **about):
        raise NotClaimable("This was noted a moment ago.", detail=parcel_id)
    settled(connection, shop_id, label.id, now, *CODES)
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="label.claim",
        subject=label.id,
        shop_id=shop_id,
        detail={"act": act, "amount": str(money), "reason": reason[:300]},
    )
    return Money(open_claim(connection, shop_id, label.id), money.currency)


def claimable(connection: Connection, shop_id: str, parcel_id: str) -> tuple[Any, Any] | None:
    """The parcel with its newest label that was paid for; None where there is none."""
    parcel = parcel_of(connection, shop_id, parcel_id)
    paid_for = labels.select(shop_id).where(labels.c.parcel_id == parcel_id, labels.c.booked_minor.is_not(None))
    label = connection.execute(paid_for.order_by(labels.c.created_at.desc()).limit(1)).first()
    return None if parcel is None or label is None else (parcel, label)


def open_claim(connection: Connection, shop_id: str, label_id: str) -> int:
    """Minor units that were claimed and neither paid nor denied."""
    grouped = entries.select(shop_id, entries.c.kind, func.sum(entries.c.minor)).where(
        entries.c.label_id == label_id, entries.c.kind.in_(("claimed", "claim_paid", "claim_lost"))
    )
    sums = {kind: int(minor) for kind, minor in connection.execute(grouped.group_by(entries.c.kind)).all()}
    return sums.get("claimed", 0) - sums.get("claim_paid", 0) - sums.get("claim_lost", 0)
