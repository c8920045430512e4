"""The doctor names what is broken and the cure, works when most is, and makes nothing."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from connector.doctor import machine
from connector.doctor.diagnosis import Diagnosis
from connector.doctor.exam import known_hosts, look
from connector.doctor.outside import certificate, certificate_end
from connector.doctor.stored import Stored, _write, look_at_database
from connector.settings import KEY_FILE, Settings
from connector.storage.database import open_database
from connector.storage.secrets import new_key
from connector.storage.shops import ShopRecord
from connector.wiring import CARRIERS
from connector.words.reason import Reason
from tests.cli.shell import shell_in
from tests.simulators.mailbox import a_mailbox
from tests.simulators.server import serve
from webhooks.outgoing import OutgoingClient

pytestmark = pytest.mark.anyio

_OTHER_KEY = "A" * 43 + "="


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a shop that was connected once."""
    folder = tmp_path_factory.mktemp("kept") / "data"
    shell_in(folder).json("shop", "add", "sandbox")
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(kept, tmp_path / "data"))


@pytest.fixture
async def outgoing() -> AsyncIterator[OutgoingClient]:
    client = OutgoingClient(allow_private=True)
    yield client
    await client.aclose()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(folder: Path, **more: Any) -> Settings:
    given: dict[str, Any] = {"data_dir": folder, "port": 0, **more}
    return Settings(**given)


def by_name(found: list[Diagnosis]) -> dict[str, Diagnosis]:
    return {each.name: each for each in found}


def broken(found: list[Diagnosis]) -> set[str]:
    codes = set()
    for each in found:
        if each.state in {"broken", "look"}:
            assert each.why is not None
            assert each.cure
            assert "…" not in each.why.say() + each.cure
            codes.add(each.why.code)
    return codes


def stored(folder: Path, **more: Any) -> list[Diagnosis]:
    return look_at_database(settings(folder, **more)).found


IDLE = {"doctor_no_worker", "doctor_no_people"}
"""What a kept folder lacks by itself: nothing runs there, and nobody was given a login."""


def test_a_sound_database_is_described_and_left_as_it_is(folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    for _ in range(2):
        found = stored(folder)
        assert broken(found) == IDLE
    assert by_name(found)["database"].value.startswith("SQLite 3.")
    assert {"write", "journal", "schema", "opens", "work"} <= {each.name for each in found if each.state == "ok"}
    assert sorted(path.name for path in folder.iterdir()) == before


def test_looking_makes_neither_key_nor_database_nor_folder(tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    assert by_name(stored(folder))["database"].state == "not_checked"
    assert by_name(machine.key_file(settings(folder)))["key"].state == "not_checked"
    assert machine.disk(settings(folder))
    assert not folder.exists()


def test_a_lost_key_is_told_before_a_start_makes_a_new_one(folder: Path) -> None:
    (folder / KEY_FILE).unlink()
    found = stored(folder)
    assert broken(found) == {"doctor_key_lost"} | IDLE
    assert not (folder / KEY_FILE).exists()


@pytest.mark.parametrize(("text", "code"), [(_OTHER_KEY, "doctor_key_wrong"), ("no key at all", "doctor_key_bad")])
def test_a_key_that_is_not_the_one_is_told(folder: Path, text: str, code: str) -> None:
    (folder / KEY_FILE).write_text(text)
    assert code in broken(stored(folder))


def test_old_keys_are_told_while_they_are_needed_and_when_they_may_go(folder: Path) -> None:
    old, new = (folder / KEY_FILE).read_text().strip(), new_key()
    assert "doctor_keys_in_use" in broken(stored(folder, keys=(new, old)))
    shell_in(folder, keys=f"{new},{old}").ok("keys", "rotate")
    assert "doctor_keys_left" in broken(stored(folder, keys=(new, old)))
    assert broken(stored(folder, keys=(new,))) == IDLE


def test_a_key_file_that_others_can_read_is_told(folder: Path) -> None:
    (folder / KEY_FILE).chmod(0o644)
    (found,) = machine.key_file(settings(folder))
    assert (found.state, found.why and found.why.params["mode"]) == ("look", "644")
    (folder / KEY_FILE).chmod(0o600)
    assert machine.key_file(settings(folder))[0].state == "ok"


def test_a_damaged_database_is_told_and_nothing_else_is_guessed(folder: Path) -> None:
    (folder / "waybill.db").write_bytes(b"this is no database" * 500)
    for beside in folder.glob("waybill.db-*"):
        beside.unlink()
    found = stored(folder)
    assert broken(found) == {"doctor_database_down"}
    assert len(found) == 1


def test_a_database_server_that_is_down_is_told(tmp_path: Path) -> None:
    found = stored(tmp_path, database_url=f"postgresql://nobody:secret@127.0.0.1:{free_port()}/waybill")
    assert broken(found) == {"doctor_database_down"}
    assert "secret" not in "".join(each.value + (each.why.say() if each.why else "") for each in found)


def test_a_postgresql_database_is_described(postgres_url: str, tmp_path: Path) -> None:
    found = stored(tmp_path, database_url=postgres_url)
    assert by_name(found)["database"].value.startswith("PostgreSQL ")
    assert broken(found) == {"doctor_schema_old"}


def test_a_schema_of_another_release_is_told(folder: Path) -> None:
    for number, code in (("0001", "doctor_schema_old"), ("9999", "doctor_schema_new")):
        with sqlite3.connect(folder / "waybill.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (number,))
        connection.close()
        assert code in broken(stored(folder))


def test_a_database_that_takes_no_writes_is_told(folder: Path) -> None:
    database = open_database(f"sqlite:///{folder / 'waybill.db'}")
    with database.engine.connect() as connection:  # The pool has this one connection, and keeps it so.
        connection.exec_driver_sql("PRAGMA query_only=ON")
    found = _write(database)
    database.close()
    assert broken([found]) == {"doctor_write_refused"}


def test_work_that_is_stuck_is_counted(folder: Path) -> None:
    from connector.work import failures
    from connector.work.port import Task

    database = open_database(f"sqlite:///{folder / 'waybill.db'}")
    now = datetime.now(UTC)
    for number, state in enumerate(("failed", "failed", "parked")):
        task = Task("labels.buy", f"k{number}", "shop_1")
        database.run_here(failures.note, task, state, "code", "a message", now)
    database.close()
    assert by_name(stored(folder))["work"].why == Reason("doctor_work_stuck", {"failed": 2, "parked": 1})


MOUNTS = "/dev/sda1 / ext4 rw 0 0\nserver:/x /srv nfs4 rw 0 0\n/dev/sdb /srv/fast\\040disk xfs rw 0 0\n"


@pytest.mark.parametrize(
    ("place", "state", "kind"),
    [("/opt/x", "ok", "ext4"), ("/srv/data", "broken", "nfs4"), ("/srv/fast disk/data", "ok", "xfs")],
)
def test_sqlite_on_a_network_disk_is_told(place: str, state: str, kind: str) -> None:
    assert machine._kind_of(Path(place), MOUNTS) == kind
    assert (kind in machine._NETWORK) is (state == "broken")


def test_the_disk_under_the_database_is_named(folder: Path) -> None:
    root = "/dev/sda1 / ext4 rw 0 0\n"
    assert machine.file_system(settings(folder), lambda: root)[0].state == "ok"
    (found,) = machine.file_system(settings(folder), lambda: root.replace("ext4", "cifs"))
    assert broken([found]) == {"doctor_network_disk"}

    def untold() -> str:
        raise FileNotFoundError

    assert machine.file_system(settings(folder), untold)[0].state == "not_checked"
    assert machine.file_system(settings(folder, database_url="postgresql://x@y/z")) == []


@pytest.mark.parametrize(("free_mib", "code"), [(50, "doctor_disk_full"), (500, "doctor_disk_low"), (5000, None)])
def test_little_room_is_told(folder: Path, free_mib: int, code: str | None) -> None:
    found = machine.disk(settings(folder), lambda _: (10**12, 0, free_mib * 1024 * 1024))
    assert len(found) == 1  # Data and labels lie on one disk here.
    assert broken(found) == ({code} if code else set())


@pytest.fixture
def alive() -> Iterator[str]:
    """Somebody who answers as Waybill does."""

    async def answer(_: Request) -> JSONResponse:
        return JSONResponse({"alive": True})

    with serve(Starlette(routes=[Route("/healthz", answer, methods=["GET"])])) as url:
        yield url


def test_the_port_is_free_ours_or_taken(folder: Path, alive: str) -> None:
    ours = int(alive.rpartition(":")[2])
    (found,) = machine.port(settings(folder, port=ours))
    assert (found.state, found.value) == ("ok", f"Waybill listens on 127.0.0.1:{ours}")
    assert machine.port(settings(folder, port=free_port()))[0].state == "ok"
    with serve(Starlette()) as other:
        found = machine.port(settings(folder, port=int(other.rpartition(":")[2])))[0]
    assert broken([found]) == {"doctor_port_taken"}


async def test_the_public_address_is_asked_and_is_urgent_only_with_a_store_outside(
    folder: Path, alive: str, outgoing: OutgoingClient
) -> None:
    given = settings(folder, public_url=alive, allow_private_addresses=True)
    assert by_name(await look(given, outgoing))["address"].state == "ok"
    dead = settings(folder, public_url=f"http://127.0.0.1:{free_port()}", allow_private_addresses=True)
    found = by_name(await look(dead, outgoing))["address"]
    assert (found.state, found.why and found.why.code) == ("look", "check_address_dead")


@pytest.mark.parametrize(("days", "state"), [(90, "ok"), (20, "look"), (2, "broken")])
async def test_the_end_of_the_certificate_is_told_in_time(folder: Path, days: int, state: str) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    given = settings(folder, public_url="https://ship.example.com")
    (found,) = await certificate(given, now, lambda _host, _port: now + timedelta(days=days))
    assert found.state == state
    assert f"({days} days)" in found.value


async def test_a_certificate_that_does_not_hold_or_cannot_be_seen_is_told(folder: Path) -> None:
    given, now = settings(folder, public_url="https://ship.example.com:8443"), datetime.now(UTC)

    def unproved(host: str, port: int) -> datetime:
        assert (host, port) == ("ship.example.com", 8443)
        error = ssl.SSLCertVerificationError("no")
        error.verify_message = "self-signed certificate"
        raise error

    def unseen(_host: str, _port: int) -> datetime:
        raise TimeoutError

    (found,) = await certificate(given, now, unproved)
    assert found.why is not None
    assert "self-signed" in found.why.say()
    assert found.state == "broken"
    assert (await certificate(given, now, unseen))[0].state == "not_checked"
    assert await certificate(settings(folder), now, unseen) == []


def test_the_end_is_read_from_the_server_itself(tmp_path: Path) -> None:
    with a_mailbox("implicit", tmp_path) as box:
        assert box.ca_file is not None
        context = ssl.create_default_context(cafile=str(box.ca_file))
        end = certificate_end("127.0.0.1", box.port, context)
        with pytest.raises(ssl.SSLCertVerificationError):
            certificate_end("127.0.0.1", box.port)
    assert end > datetime.now(UTC)


async def test_the_clock_is_held_against_who_is_connected(alive: str, outgoing: OutgoingClient) -> None:
    from connector.doctor.outside import clock

    real = datetime.now(UTC)
    assert (await clock(outgoing, [alive], lambda: real))[0].state == "ok"
    (ahead,) = await clock(outgoing, [f"http://127.0.0.1:{free_port()}", alive], lambda: real + timedelta(hours=1))
    (behind,) = await clock(outgoing, [alive], lambda: real - timedelta(hours=1))
    assert [broken([found]) for found in (ahead, behind)] == [{"check_clock_ahead"}, {"check_clock_behind"}]
    nobody = (await clock(outgoing, [], lambda: real))[0]
    unreached = (await clock(outgoing, [f"http://127.0.0.1:{free_port()}"], lambda: real))[0]
    assert [each.state for each in (nobody, unreached)] == ["not_checked", "not_checked"]


def test_only_parties_that_are_connected_are_asked_for_the_time() -> None:
    def shop(**credentials: str) -> ShopRecord:
        known: dict[str, Any] = dict.fromkeys(ShopRecord.__dataclass_fields__, "")
        return ShopRecord(**known | {"domain": "a.myshopify.com", "credentials": credentials})

    shops = [shop(path="/x"), shop(client_id="c"), shop(api_base="http://127.0.0.1:1/")]
    found = Stored(shops=shops, carriers=[("easypost", ""), ("easypost", "http://127.0.0.1:2"), ("sandbox", "")])
    assert known_hosts(found, CARRIERS) == [
        "https://a.myshopify.com",
        "http://127.0.0.1:1",
        "https://api.easypost.com",
        "http://127.0.0.1:2",
    ]


async def test_the_mail_server_is_tried_and_gets_no_mail(folder: Path, outgoing: OutgoingClient) -> None:
    with a_mailbox() as box:
        found = by_name(await look(settings(folder, smtp_url=SecretStr(box.url)), outgoing))["mail"]
        assert (found.state, box.arrived) == ("ok", [])
    dead = settings(folder, smtp_url=SecretStr(f"smtp+plain://127.0.0.1:{free_port()}"))
    assert broken([by_name(await look(dead, outgoing))["mail"]]) == {"doctor_mail_refused"}
    assert by_name(await look(settings(folder), outgoing))["mail"].state == "not_checked"


async def test_a_moved_clock_is_told(folder: Path, outgoing: OutgoingClient) -> None:
    found = await look(settings(folder, test_clock="3600:1"), outgoing)
    assert "doctor_clock_moved" in broken(found)
