"""Commands about labels that are not used any more: another one for the same goods, and the money of the voided one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Connection

from connector.cli.output import Speaker, command, with_house
from connector.labels import voids
from connector.labels.tables import labels
from connector.orders import view
from connector.storage.audit import Actor
from connector.wiring import House
from connector.words.reason import Reason
from connector.work.lease import worker_runs
from connector.work.port import Work
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")


def add_to(label: click.Group) -> None:
    """Register the commands."""

    @command(label, "another")
    @click.argument("parcel")
    @click.option("--reason", required=True, help="Why, for the audit.")
    def another(speaker: Speaker, parcel: str, reason: str) -> None:
        """Void a parcel's label, if it has one, and buy another one."""
        worker = with_house(lambda house: _another(house, parcel, reason))
        text = "Another label is being bought." if worker else "Another label is bought once a worker runs."
        speaker.answer({"parcel_id": parcel, "worker": worker, "text": text}, [text])

    @command(label, "refund")
    @click.argument("parcel")
    @click.option("--again", is_flag=True, help="Ask the carrier for the money once more.")
    @click.option("--back", metavar="AMOUNT", help="The money came: how much, in the label's currency.")
    @click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="With --back: the day; default: today.")
    def refund(speaker: Speaker, parcel: str, again: bool, back: str | None, day: datetime | None) -> None:
        """Show how the money of a parcel's voided label stands; have it asked for again, or note that it came."""
        if again and back is not None:
            raise click.UsageError("Give --again or --back.")
        number, said = with_house(lambda house: _refund(house, parcel, again, back, day))
        speaker.answer({"parcel_id": parcel, "number": number, "standing": said}, [f"{number}: {said.say()}"])


def _shop_of(house: House, parcel_id: str) -> str:
    shop_id = house.here(view.shop_of_parcel, parcel_id)
    if shop_id is None:
        raise WaybillError("There is no such parcel; `waybill order show` names them.", detail=parcel_id)
    return shop_id


def _another(house: House, parcel_id: str, reason: str) -> bool:
    shop_id = _shop_of(house, parcel_id)
    house.here(view.another_label, house.work, shop_id, parcel_id, reason, _BY_COMMAND, house.clock.now())
    return house.here(worker_runs)


def _refund(house: House, parcel_id: str, again: bool, back: str | None, day: datetime | None) -> tuple[str, Reason]:
    shop_id, now = _shop_of(house, parcel_id), house.clock.now()
    at = now if day is None else day.replace(tzinfo=UTC)
    return house.here(_act, house.work, shop_id, parcel_id, again, back, at, now)


def _act(
    connection: Connection,
    work: Work,
    shop_id: str,
    parcel_id: str,
    again: bool,
    back: str | None,
    at: datetime,
    now: datetime,
) -> tuple[str, Reason]:
    label = _voided(connection, shop_id, parcel_id)
    if again:
        voids.ask_again(connection, work, label, _BY_COMMAND, now)
    elif back is not None:
        voids.note_money_back(connection, label, back, at, now, _BY_COMMAND)
    label = _voided(connection, shop_id, parcel_id)
    said = voids.standing(label)
    assert said is not None  # noqa: S101 - it is a voided label.
    return str(label.tracking_code), said


def _voided(connection: Connection, shop_id: str, parcel_id: str) -> Any:
    """The parcel's newest label that was voided."""
    found = connection.execute(
        labels.select(shop_id)
        .where(labels.c.parcel_id == parcel_id, labels.c.state.in_(("void_requested", "voided", "void_refused")))
        .order_by(labels.c.created_at.desc())
    ).all()
    bought = [each for each in found if voids.standing(each) is not None]
    if not bought:
        raise WaybillError("This parcel has no label that was voided.", detail=parcel_id)
    return bought[0]
