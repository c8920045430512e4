"""Take a label out of use, and follow its money: asked back, accepted, there; by windows, with retries and an alarm."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection

from carriers.errors import CarrierError
from carriers.label import Voided
from carriers.money import Money, MoneyError
from connector.attention.board import need_person, settled
from connector.directory import Directory
from connector.labels import record
from connector.labels.amounts import Kind, book, booked_of_label
from connector.labels.by_hand import is_by_hand, take_back
from connector.labels.fees import book_fees_back, fees_of_price, fees_outstanding
from connector.labels.tables import labels
from connector.labels.void_rules import OPEN, Refund, RefundState, Turn, turn, window_ends
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.tracking.record import withdraw
from connector.words.reason import Reason
from connector.work.port import Run, Task, Work
from webhooks.errors import WaybillError

VOID = "labels.void"
ABOUT_LIVE = ("refund_unasked", "bought_differs", "bought_late")
"""Matters of a label in use, which end with its void."""

ABOUT_PARCEL = ("cancelled_with_label", "changed_after_label", "shipped_without_label")
"""Matters of a parcel that ask whether its label is of use, which a void answers."""

MATTERS = ("void_unanswered", "refund_overdue", "void_refused")


class NotVoidable(WaybillError):
    """The parcel has no label that can be voided, or no refund that could still come."""


@dataclass(frozen=True, slots=True)
class Voids:
    """The job `labels.void`; it takes the label's id."""

    database: Database
    directory: Directory
    work: Work
    now: Callable[[], datetime]

    async def follow(self, run: Run) -> None:
        """Ask the carrier for the money back, or how that stands, and write down what follows."""
        shop_id, (label_id,) = run.task.shop_id, run.task.args
        label = await self.database.run(record.label_of, shop_id, label_id)
        if label is None or not _is_open(label):
            return
        account = self.directory.account(shop_id, label.account_id)
        if account is None:
            await self.database.run(need_person, shop_id, label_id, Reason("account_gone"), self.now())
            return
        handle = label.booked_handle or label.handle
        try:
            if refund_of(label).state == "asked":
                outcome = await run.step("label.void", lambda: account.connection.void(handle, run.fence))
            else:
                outcome = await run.step("label.void_state", lambda: account.connection.void_state(handle))
        except CarrierError as error:
            outcome = Voided("unknown", error.message)
        days = account.connection.capabilities.void_window_days((label.booked_rate or label.rate)["carrier"])
        await self.database.run(self.take_in, label, outcome, days)

    def take_in(self, connection: Connection, label: Any, outcome: Voided, days: int | None) -> None:
        """Write down what follows from the carrier's word; what another run wrote meanwhile stays.

        `days` are the carrier's window for voids.
        """
        now = self.now()
        before = refund_of(label)
        if label.void_until is None and label.settled_at is not None:
            before = Refund(before.state, before.asked_at, window_ends(label.settled_at, days), before.tries)
        next_turn = turn(before, outcome, now)
        settled(connection, label.shop_id, label.id, now, "account_gone")
        if not _keep(connection, label, next_turn, outcome.message, now):
            return
        if next_turn.books is not None:
            cause = f"{label.id}:{label.version}" if next_turn.books == "lost" else ""
            _book(connection, label, next_turn.books, _price(label), now, cause)
        _fees_back(connection, label, outcome.fees_back, now)
        if next_turn.refund.state != "asked":
            settled(connection, label.shop_id, label.id, now, "void_unanswered")
        if not next_turn.refund.is_open:
            settled(connection, label.shop_id, label.id, now, "refund_overdue")
        if next_turn.alarm:
            need_person(connection, label.shop_id, label.id, _alarm(label, next_turn, outcome), now)
        if next_turn.again is not None:
            self.work.later(connection, _task(label), now + next_turn.again)


def refund_of(label: Any) -> Refund:
    """Where the money of a voided label stands; rows of an earlier release have no column for it."""
    old = {"void_requested": "requested" if label.void_checks else "asked", "void_refused": "refused"}
    asked_at = label.void_at or label.settled_at or label.created_at
    until = label.void_until or window_ends(label.settled_at or label.created_at, None)
    state = cast("RefundState", label.refund or old.get(label.state, "back"))
    return Refund(state, asked_at, until, label.void_tries or 0)


def standing(label: Any) -> Reason | None:
    """The money of a voided label in words: three different things are requested, accepted, and back."""
    if label.state not in {"void_requested", "voided", "void_refused"} or is_by_hand(label):
        return None
    price, refund = _price(label), refund_of(label)
    match refund.state:
        case "accepted":
            return Reason("refund_accepted", {"amount": price, "at": _day(label.refund_accepted_at)})
        case "back":
            back = price if label.refund_minor is None else Money(label.refund_minor, label.booked_currency)
            return Reason("refund_back", {"amount": back, "at": _day(label.refund_back_at)})
        case "nothing":
            return Reason("refund_nothing")
        case "refused":
            return Reason("refund_refused", {"amount": price})
        case "asked" | "requested":
            asked, until = _day(refund.asked_at), _day(refund.until)
            if refund.state == "requested":
                return Reason("refund_requested", {"amount": price, "at": asked})
            return Reason("refund_asked", {"amount": price, "at": asked, "until": until})


def request_void(
    connection: Connection, work: Work, shop_id: str, parcel_id: str, reason: str, actor: Actor, now: datetime
) -> str:
    """Take a parcel's label out of use at once and have the money asked back; returns the label's id.

    A number that was typed by hand is taken back: there is nobody to ask for money.

    Raises NotVoidable where the parcel has no bought label.
    """
    record.lock_parcel(connection, shop_id, parcel_id)
    label = record.live_label(connection, shop_id, parcel_id)
    if label is None or label.state != "bought":
        raise NotVoidable("This parcel has no label that could be voided.", detail=parcel_id)
    if is_by_hand(label):
        take_back(connection, work, shop_id, label.id, reason, actor, now)
        return str(label.id)
    moved = connection.execute(
        labels.update(shop_id)
        .where(labels.c.id == label.id, labels.c.state == "bought")
        .values(
            state="void_requested",
            refund="asked",
            void_at=now,
            void_reason=reason[:300],
            void_due=now,
            version=labels.c.version + 1,
        )
    )
    if moved.rowcount != 1:
        raise NotVoidable("The label was moved meanwhile.", detail=parcel_id)
    record.set_parcel(connection, shop_id, parcel_id, "voided", now, Reason("voided_by", {"who": actor.name}))
    settled(connection, shop_id, label.id, now, *ABOUT_LIVE)
    settled(connection, shop_id, parcel_id, now, *ABOUT_PARCEL)
    _book(connection, label, "refund_due", _price(label), now)
    withdraw(connection, work, shop_id, label.id)
    work.enqueue(connection, Task(VOID, f"void:{label.id}", shop_id, (label.id,)))
    _audit(connection, "label.void", label, actor, now, {"reason": reason[:300]})
    return str(label.id)


def ask_again(connection: Connection, work: Work, label: Any, actor: Actor, now: datetime) -> None:
    """A person has the carrier asked once more, also where it had refused: what was booked as lost is due again.

    Raises NotVoidable where the money is back, or none was charged.
    """
    before = refund_of(label)
    if label.state not in {"void_requested", "voided", "void_refused"} or before.state in {"back", "nothing"}:
        raise NotVoidable("There is no refund of this label to ask for.", detail=label.id)
    asked = Refund("asked", before.asked_at, before.until)
    if not _keep(connection, label, Turn(asked), label.void_said or "", now):
        raise NotVoidable("The label was moved meanwhile.", detail=label.id)
    if before.state == "refused":
        count = (label.void_checks or 0) + 1
        _book(connection, label, "lost", -_price(label), now, f"{label.id}:again:{count}")
    settled(connection, label.shop_id, label.id, now, *MATTERS)
    work.later(connection, _task(label), now)
    _audit(connection, "label.refund_again", label, actor, now, {})


def money_back(
    connection: Connection, label: Any, amount: Money, at: datetime, source: str, now: datetime, actor: Actor
) -> bool:
    """Money of a voided label was seen, on `at`: what came is booked as refunded, and what is missing as lost.

    `source` says where it was seen (an invoice's name, a webhook, a person). False if that was booked before, or if
    the label's money is not waited for.
    """
    before = refund_of(label)
    if label.state not in {"void_requested", "voided", "void_refused"} or before.state in {"back", "nothing"}:
        return False
    price, fees = _price(label), fees_outstanding(connection, label)
    with_fees = bool(fees.minor) and amount == price + fees
    amount = price if with_fees else amount
    values = {"refund_minor": amount.minor, "refund_back_at": at}
    done = Turn(Refund("back", before.asked_at, before.until), "refunded", "voided")
    if not _keep(connection, label, done, source, now, values):
        return False
    if before.state == "refused":
        _book(connection, label, "lost", -price, now, f"{label.id}:came:{label.void_checks}")
    _book(connection, label, "refunded", amount, at)
    _fees_back(connection, label, fees_of_price(label) if with_fees else (), at)
    if amount != price:
        _book(connection, label, "lost", price - amount, now, f"{label.id}:short")
    settled(connection, label.shop_id, label.id, now, *MATTERS)
    _audit(connection, "label.refund_back", label, actor, now, {"amount": str(amount), "source": source[:80]})
    return True


def note_money_back(connection: Connection, label: Any, typed: str, at: datetime, now: datetime, actor: Actor) -> None:
    """A person saw the money of a voided label, in the label's currency, on the day of `at`.

    Raises NotVoidable, naming --back or --on: no more comes back than the label cost with what was added later, and
    not before it was bought or in the future; or where no money is waited for.
    """
    try:
        amount = Money.parse(typed, label.booked_currency)
    except MoneyError as error:
        raise NotVoidable(f"{typed!r} is not an amount in {label.booked_currency}.", detail="--back") from error
    added = Money(booked_of_label(connection, label.shop_id, label.id, "adjusted"), amount.currency)
    most = max(_price(label), _price(label) + added, _price(label) + fees_outstanding(connection, label))
    if not Money.zero(amount.currency) < amount <= most:
        raise NotVoidable(f"Between nothing and {most} can come back of this label.", detail="--back")
    bought_at = label.settled_at or label.created_at
    if not bought_at - timedelta(days=1) < at <= now:
        raise NotVoidable("The money came between the purchase and today.", detail="--on")
    if not money_back(connection, label, amount, at, "a person", now, actor):
        raise NotVoidable("This label's money is not waited for any more.", detail=label.parcel_id)


def overdue(connection: Connection, shop_id: str, before: datetime) -> list[Any]:
    """For the sweep: labels whose money nobody looks after any more."""
    forgotten = labels.select(shop_id).where(labels.c.refund.in_(OPEN), labels.c.void_due < before)
    return list(connection.execute(forgotten).all())


def look_again(connection: Connection, work: Work, label: Any, now: datetime) -> None:
    """For the sweep: look after a label's money now."""
    work.later(connection, _task(label), now)


def _is_open(label: Any) -> bool:
    return label.state in {"void_requested", "voided"} and refund_of(label).is_open


def _task(label: Any) -> Task:
    return Task(VOID, f"void-again:{label.id}", label.shop_id, (label.id,))


def _keep(
    connection: Connection, label: Any, next_turn: Turn, said: str, now: datetime, more: dict[str, Any] | None = None
) -> bool:
    refund = next_turn.refund
    values: dict[str, Any] = {
        "state": next_turn.label,
        "refund": refund.state,
        "void_at": refund.asked_at,
        "void_until": refund.until,
        "void_tries": refund.tries,
        "void_due": None if next_turn.again is None else now + next_turn.again,
        "void_said": said[:300] or label.void_said,
        "void_checks": labels.c.void_checks + 1,
        "version": labels.c.version + 1,
    }
    if refund.state == "accepted" and label.refund_accepted_at is None:
        values["refund_accepted_at"] = now
    if refund.state == "back":
        values |= {"refund_back_at": now, "refund_minor": label.booked_minor}
    mine = labels.update(label.shop_id).where(labels.c.id == label.id, labels.c.version == label.version)
    return connection.execute(mine.values(**values | (more or {}))).rowcount == 1


def _book(connection: Connection, label: Any, kind: Kind, money: Money, now: datetime, cause: str = "") -> None:
    parcel = record.parcel_of(connection, label.shop_id, label.parcel_id)
    assert parcel is not None  # noqa: S101 - parcels are never deleted while a label refers to them.
    about = {"order_id": parcel.order_id, "parcel_id": parcel.id, "label_id": label.id}
    book(connection, label.shop_id, kind, money, cause=cause or label.id, now=now, **about)


def _fees_back(connection: Connection, label: Any, words: Collection[str], now: datetime) -> None:
    if words:
        parcel = record.parcel_of(connection, label.shop_id, label.parcel_id)
        assert parcel is not None  # noqa: S101 - parcels are never deleted while a label refers to them.
        book_fees_back(connection, label, parcel.order_id, words, now)


def _alarm(label: Any, next_turn: Turn, outcome: Voided) -> Reason:
    about = {"number": label.tracking_code, "amount": _price(label)}
    match next_turn.alarm:
        case "void_refused":
            return Reason("void_refused", {**about, "said": outcome.message})
        case "void_unanswered":
            return Reason("void_unanswered", {**about, "until": _day(next_turn.refund.until)})
    return Reason("refund_overdue", about)


def _audit(
    connection: Connection, action: str, label: Any, actor: Actor, now: datetime, detail: dict[str, str]
) -> None:
    audit.record(
        connection, now=now, actor=actor, action=action, subject=label.id, shop_id=label.shop_id, detail=dict(detail)
    )


def _price(label: Any) -> Money:
    return Money(label.booked_minor, label.booked_currency)


def _day(at: datetime | None) -> str:
    return "…" if at is None else f"{at:%Y-%m-%d}"
