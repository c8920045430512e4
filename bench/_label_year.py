"""A random year of parcels, lived through the functions that book amounts; kept apart in books of its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection

from carriers.invoice import Invoiced, MoneyBack
from carriers.label import Voided
from carriers.money import Money
from connector.insight.ledger_check import Checked
from connector.labels import by_hand, claims, invoice_news, voids
from connector.labels.amounts import book
from connector.labels.invoice_csv import InvoiceLine
from connector.labels.invoices import take_lines
from connector.labels.record import label_of
from connector.labels.tables import labels, parcels
from connector.labels.voids import Voids, request_void
from connector.orders.tables import orders
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.storage.ids import new_id
from connector.work.memory import MemoryWork
from tests.conftest import FrozenClock

_START = datetime(2025, 12, 1, 8, 0, tzinfo=UTC)
_BY = Actor("command", "bench")
_ENDS: tuple[Voided, ...] = (
    Voided("voided"),
    Voided("nothing_charged"),
    Voided("refused", "too late"),
    Voided("accepted"),
    Voided("requested"),
)


@dataclass
class Year:
    """What happened, in books that are kept beside the product's: minor units by account and currency."""

    shop_id: str
    acts: Counter[str] = field(default_factory=Counter)
    books: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def move(self, source: str, target: str, minor: int, currency: str) -> None:
        """Move an amount."""
        self.books[source, currency] -= minor
        self.books[target, currency] += minor

    def compare(self, found: Checked) -> list[str]:
        """Where the product's balances are not ours."""
        ours = {key: minor for key, minor in self.books.items() if minor}
        keys = sorted(set(ours) | set(found.balances))
        pairs = [(key, found.balances.get(key, 0), ours.get(key, 0)) for key in keys]
        return [f"{' '.join(key)}: {theirs} instead of {mine}" for key, theirs, mine in pairs if theirs != mine]


@dataclass
class _Life:
    connection: Connection
    work: MemoryWork
    follow: Voids
    random: Random
    year: Year
    now: datetime

    def chance(self, share: float) -> bool:
        return self.random.random() < share


def live_a_year(database: Database, count: int, seed: int) -> Year:
    """So many parcels; each thousand is one transaction."""
    year = Year("shop_bench")
    random = Random(seed)
    clock = FrozenClock(_START)
    work = MemoryWork(database, clock)
    for first in range(0, count, 1000):

        def live(connection: Connection, first: int = first) -> None:
            follow = Voids(database, None, work, clock.now)  # type: ignore[arg-type]  # No carrier is asked here.
            numbers = range(first, min(first + 1000, count))
            moments = [_START + timedelta(days=365) * number / count for number in numbers]
            placed = _placed(connection, year.shop_id, random, dict(zip(numbers, moments, strict=True)))
            for clock.at, one in zip(moments, placed, strict=True):
                _parcel(_Life(connection, work, follow, random, year, clock.at), one)

        database.run_here(live)
    return year


@dataclass(frozen=True)
class _Placed:
    """A paid order with its one parcel."""

    number: int
    order_id: str
    parcel_id: str
    currency: str
    charged: int


def _placed(connection: Connection, shop: str, random: Random, when: dict[int, datetime]) -> list[_Placed]:
    """Orders with their parcels, written at once: they are the world, and not what is measured."""
    found, order_rows, parcel_rows = [], [], []
    for number, now in when.items():
        currency = random.choice(("EUR", "EUR", "EUR", "USD", "JPY"))
        charged = random.choice((0, random.randint(100, 3_000)))
        one = _Placed(number, new_id("ord", now), new_id("par", now), currency, charged)
        found.append(one)
        values = {"id": one.order_id, "external_id": f"x{number}", "name": f"#{number}", "currency": currency}
        times = {"placed_at": now, "updated_at": now, "seen_at": now}
        order_rows.append(
            {"shop_id": shop, "paid": True, "cancelled": False, "charged_minor": charged} | values | times
        )
        parcel_rows.append(
            {
                "shop_id": shop,
                "id": one.parcel_id,
                "order_id": one.order_id,
                "order_external_id": f"x{number}",
                "group_id": f"g{number}",
                "number": 1,
                "count": 1,
                "state": "planned",
                "contents": [],
                "grams": 500,
                "plan_id": "p",
                "location_id": "loc",
                "currency": currency,
                "created_at": now,
                "changed_at": now,
            }
        )
    connection.execute(orders.for_rows, order_rows)
    connection.execute(parcels.for_rows, parcel_rows)
    return found


def _parcel(life: _Life, one: _Placed) -> None:
    """One parcel's whole story."""
    currency, number, order_id, parcel_id = one.currency, one.number, one.order_id, one.parcel_id
    _agreed(life, one)
    price = Money(life.random.randint(150, 6_000), currency)
    if life.chance(0.04):
        _typed(life, parcel_id, price, number)
        return
    for attempt in range(1, 4):
        label = _bought(life, order_id, parcel_id, price, f"{number}-{attempt}")
        if life.chance(0.75):
            _invoices(life, label, price, number)
        if not life.chance(0.08):
            break
        if _voided(life, label.id, price) or attempt == 3:
            break
        price = Money(life.random.randint(150, 6_000), currency)
    else:
        return
    if life.chance(0.03):
        _claimed(life, parcel_id)


def _agreed(life: _Life, one: _Placed) -> None:
    """What was quoted, and what the buyer paid."""
    shop, now, connection = life.year.shop_id, life.now, life.connection
    if one.charged:
        charged = Money(one.charged, one.currency)
        book(connection, shop, "charged", charged, order_id=one.order_id, cause=one.order_id, now=now)
        life.year.move("buyer", "shipping:income", one.charged, one.currency)
    quoted = life.random.randint(150, 6_000)
    price = Money(quoted, one.currency)
    book(connection, shop, "quoted", price, order_id=one.order_id, cause=f"q{one.number}", now=now)
    life.year.move("carrier:expected", "postage:expected", quoted, one.currency)


def _bought(life: _Life, order_id: str, parcel_id: str, price: Money, name: str) -> Any:
    shop, now = life.year.shop_id, life.now
    label_id = new_id("lab", now)
    rate = {"carrier": "USPS", "service": "Ground"}
    booked = {"booked_minor": price.minor, "booked_currency": price.currency, "booked_handle": f"shp_{name}"}
    times = {"created_at": now, "intent_at": now, "sent_at": now, "settled_at": now}
    asked = {"actor_kind": "rule", "actor_name": "buy", "why": {"code": "as_promised", "params": {}}}
    life.connection.execute(
        labels.insert(
            shop,
            id=label_id,
            parcel_id=parcel_id,
            account_id="acc_1",
            carrier="easypost",
            state="bought",
            handle=f"shp_{name}",
            rates=[],
            rate=rate,
            minor=price.minor,
            currency=price.currency,
            tracking_code=f"T{name}",
            **booked,
            **times,
            **asked,
        )
    )
    about = {"order_id": order_id, "parcel_id": parcel_id, "label_id": label_id}
    book(life.connection, shop, "bought", price, cause=label_id, now=now, **about)
    life.year.move("wallet", "postage:bought", price.minor, price.currency)
    life.year.acts["bought"] += 1
    life.connection.execute(parcels.update(shop).where(parcels.c.id == parcel_id).values(state="bought"))
    return label_of(life.connection, shop, label_id)


def _typed(life: _Life, parcel_id: str, price: Money, number: int) -> None:
    typed = by_hand.Typed("Courier", f"HAND{number}", price=price)
    shop, now = life.year.shop_id, life.now
    done = by_hand.ship(life.connection, life.work, shop, parcel_id, typed, _BY, now, notify_buyer=False)
    life.year.move("merchant", "postage:bought", price.minor, price.currency)
    life.year.acts["typed"] += 1
    if life.chance(0.3):
        by_hand.take_back(life.connection, life.work, shop, done.label_id, "not yet", _BY, now)
        life.year.move("postage:bought", "merchant", price.minor, price.currency)
        life.year.acts["typed and taken back"] += 1


def _invoices(life: _Life, label: Any, price: Money, number: int) -> None:
    """Bills by file, in whole or as what was added, and by webhook, in versions and twice."""
    shop, now, random = life.year.shop_id, life.now + timedelta(days=9), life.random
    added = random.choice((0, 0, 0, random.randint(-140, 900)))
    match random.choice(("total", "adjustment", "webhook")):
        case "webhook":
            for version, so_far in enumerate((random.randint(0, 300), added, added)):
                at = now + timedelta(hours=version)
                total = Money(so_far, price.currency)
                news = Invoiced(f"inv_{number}", label.handle, "", "USPS", total, "Weight", at=at)
                invoice_news.take_in(life.connection, life.work, shop, "acc_1", news, at)
            life.year.acts["billed by webhook"] += 1
        case kind:
            amount = price + Money(added, price.currency) if kind == "total" else Money(added, price.currency)
            line = InvoiceLine(2, label.tracking_code, amount, f"I{number // 500}")
            for _ in range(random.choice((1, 1, 2))):
                take_lines(life.connection, shop, [line], kind, now)
            life.year.acts[f"billed by file, {kind}"] += 1
    life.year.move("wallet", "postage:adjusted", added, price.currency)


def _voided(life: _Life, label_id: str, price: Money) -> bool:
    """Void it, and let the carrier answer; whether the money may still come."""
    shop, now, random, year = life.year.shop_id, life.now, life.random, life.year
    row = label_of(life.connection, shop, label_id)
    assert row is not None
    request_void(life.connection, life.work, shop, row.parcel_id, "bench", _BY, now)
    year.move("postage:bought", "carrier:refund_due", price.minor, price.currency)
    told = random.choice(_ENDS)
    year.acts[f"voided, {told.state}"] += 1
    life.follow.take_in(life.connection, label_of(life.connection, shop, label_id), told, 30)
    if told.state in {"voided", "nothing_charged"}:
        year.move("carrier:refund_due", "wallet", price.minor, price.currency)
        return False
    if told.state == "refused":
        year.move("carrier:refund_due", "postage:lost", price.minor, price.currency)
        if life.chance(0.5):
            return False
        year.acts["asked again"] += 1
        label = label_of(life.connection, shop, label_id)
        voids.ask_again(life.connection, life.work, label, _BY, now)
        life.follow.take_in(life.connection, label_of(life.connection, shop, label_id), Voided("voided"), 30)
        year.move("postage:lost", "carrier:refund_due", price.minor, price.currency)
        year.move("carrier:refund_due", "wallet", price.minor, price.currency)
        return False
    if life.chance(0.3):
        return True
    came = random.randint(1, price.minor) if life.chance(0.3) else price.minor
    label = label_of(life.connection, shop, label_id)
    assert label is not None
    if came == price.minor and life.chance(0.5):
        news = MoneyBack(label.handle, "", "USPS", now, f"r_{label_id}")
        for _ in range(2):  # The news books nothing: the carrier is asked, and says that the money is back.
            invoice_news.take_in(life.connection, life.work, shop, "acc_1", news, now)
            life.follow.take_in(life.connection, label_of(life.connection, shop, label_id), Voided("voided"), 30)
        year.acts["refunded by webhook"] += 1
    else:
        line = InvoiceLine(2, label.tracking_code, Money(-came, price.currency), f"credit {label_id}")
        take_lines(life.connection, shop, [line], "adjustment", now)
        year.acts["refunded by file"] += 1
    year.move("carrier:refund_due", "wallet", came, price.currency)
    year.move("carrier:refund_due", "postage:lost", price.minor - came, price.currency)
    return False


def _claimed(life: _Life, parcel_id: str) -> None:
    shop, year, random = life.year.shop_id, life.year, life.random
    row = life.connection.execute(parcels.select(shop).where(parcels.c.id == parcel_id)).one()
    minor = random.randint(100, 900)

    def note(act: claims.ClaimAct, minor: int, minutes: int) -> None:
        amount = str(Money(minor, row.currency).amount)
        at = life.now + timedelta(minutes=minutes)
        claims.note_claim(life.connection, shop, parcel_id, act, amount, "bench", _BY, at)

    note("claimed", minor, 1)
    year.move("postage:claimed", "carrier:claim_due", minor, row.currency)
    year.acts["claimed"] += 1
    if life.chance(0.6):
        paid = random.randint(1, minor)
        note("claim_paid", paid, 2)
        year.move("carrier:claim_due", "wallet", paid, row.currency)
        if paid < minor:
            note("claim_lost", minor - paid, 3)
            year.move("carrier:claim_due", "postage:claimed", minor - paid, row.currency)
