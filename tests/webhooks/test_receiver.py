"""The receiver checks, stores, queues and answers; what it refuses leaves no trace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Column, Connection, MetaData, String, Table, func, insert, select

from connector.storage.database import Database
from connector.storage.ids import new_id
from connector.storage.schema import Moment
from connector.storage.secrets import Keyring, new_key
from tests.conftest import FrozenClock
from webhooks.inbox import Inbox, inbox_table
from webhooks.receiver import Authentic, Endpoint, Forged, Receiver
from webhooks.signatures import Invalid, check_sandbox, sandbox_signature

SECRET = "s3cret"
BODY = b'{"id": "evt_1", "topic": "orders/paid"}'


def verify(raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
    match check_sandbox(raw, headers.get("x-signature"), [SECRET]):
        case Invalid(reason):
            return Forged(reason)
    try:
        event = json.loads(raw)
        return Authentic(event["id"], event["topic"])
    except ValueError:
        return Forged("malformed")
    except KeyError as error:
        return Forged("malformed", field=str(error.args[0]))


def signed(raw: bytes) -> dict[str, str]:
    return {"X-Signature": sandbox_signature(raw, SECRET)}


class Desk:
    """A receiver on a real database, with a table that stands for the queue."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        metadata = MetaData()
        self.inbox = inbox_table(metadata, Moment())
        self.queue = Table("queue", metadata, Column("key", String, primary_key=True))
        self.database = database
        metadata.create_all(self.database.engine)
        inbox = Inbox(self.inbox, Keyring.from_keys([new_key()]), clock, lambda now: new_id("dlv", now))
        self.fail_to_queue = False
        self.receiver = Receiver(inbox, self.database.transaction, self._enqueue)
        self.endpoint = Endpoint("hooks:shp_1", verify, "shp_1", max_bytes=1000)

    def _enqueue(self, connection: Connection, key: str) -> None:
        connection.execute(insert(self.queue).values(key=key))
        if self.fail_to_queue:
            raise OSError("the disk is full")

    def counts(self) -> tuple[int, int]:
        with self.database.engine.begin() as connection:
            stored, queued = (
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (self.inbox, self.queue)
            )
        return stored, queued


@pytest.fixture
def desk(empty_database: Database, clock: FrozenClock) -> Desk:
    """On SQLite and on PostgreSQL."""
    return Desk(empty_database, clock)


def test_a_delivery_is_stored_and_queued_before_it_is_answered(desk: Desk) -> None:
    answer = desk.receiver.receive(desk.endpoint, "POST", signed(BODY), BODY)
    assert (answer.status, answer.body) == (200, b"")
    assert desk.counts() == (1, 1)


def test_a_repeat_is_answered_alike_and_queues_nothing(desk: Desk) -> None:
    first, second = (desk.receiver.receive(desk.endpoint, "POST", signed(BODY), BODY) for _ in range(2))
    assert first == second
    assert desk.counts() == (1, 1)


def test_a_hundred_copies_at_once_are_one_delivery(desk: Desk) -> None:
    def deliver(_: int) -> int:
        return desk.receiver.receive(desk.endpoint, "POST", signed(BODY), BODY).status

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(deliver, range(100))) == {200}
    assert desk.counts() == (1, 1)


def test_a_delivery_that_cannot_be_queued_is_not_stored(desk: Desk) -> None:
    desk.fail_to_queue = True
    with pytest.raises(OSError, match="full"):
        desk.receiver.receive(desk.endpoint, "POST", signed(BODY), BODY)
    assert desk.counts() == (0, 0)
    desk.fail_to_queue = False
    assert desk.receiver.receive(desk.endpoint, "POST", signed(BODY), BODY).status == 200
    assert desk.counts() == (1, 1)


@pytest.mark.parametrize(
    ("method", "headers", "raw", "status", "code", "field"),
    [
        ("GET", signed(BODY), BODY, 405, "method_not_allowed", None),
        ("PUT", signed(BODY), BODY, 405, "method_not_allowed", None),
        ("POST", {}, BODY, 401, "signature_missing", None),
        ("POST", signed(b"other"), BODY, 401, "signature_wrong", None),
        ("POST", {"x-signature": "é"}, BODY, 401, "signature_wrong", None),
        ("POST", signed(b"{"), b"{", 400, "malformed", None),
        ("POST", signed(b'{"id": "1"}'), b'{"id": "1"}', 400, "malformed", "topic"),
        ("POST", signed(b"x" * 1001), b"x" * 1001, 413, "too_large", None),
    ],
)
def test_what_is_refused_says_why_and_leaves_no_trace(
    desk: Desk, method: str, headers: dict[str, str], raw: bytes, status: int, code: str, field: str | None
) -> None:
    answer = desk.receiver.receive(desk.endpoint, method, headers, raw)
    error = json.loads(answer.body)["error"]
    assert answer.status == status
    assert (error["code"], error.get("field")) == (code, field)
    assert error["message"]
    assert set(error) <= {"code", "field", "message"}
    assert ("content-type", "application/json") in answer.headers
    assert (("allow", "POST") in answer.headers) is (status == 405)
    assert desk.counts() == (0, 0)


def test_the_size_is_checked_before_the_signature_is_computed(desk: Desk) -> None:
    def never(_raw: bytes, _headers: Mapping[str, str]) -> Authentic | Forged:
        raise AssertionError

    endpoint = Endpoint("hooks", never, max_bytes=3)
    assert desk.receiver.receive(endpoint, "POST", {}, b"1234").status == 413
