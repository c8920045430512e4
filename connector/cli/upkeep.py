"""Commands for upkeep: failed work, what needs a person, keys."""

from __future__ import annotations

import click

from connector.attention.board import HOUSE, Matter, open_matters
from connector.cli.output import Speaker, command, with_house
from connector.orders.about import About, orders_of
from connector.storage.audit import Actor
from connector.storage.secrets import new_key, rotate_all
from connector.storage.shops import find_shop_id
from connector.wiring import House
from connector.work import failures
from connector.work.lease import worker_runs

_BY_COMMAND = Actor("command", "waybill")
_SHOWN: tuple[failures.FailureState, ...] = ("waiting", "failed", "parked")


def add_to(group: click.Group) -> None:
    """Register the commands."""
    failed = click.Group("failed", help="Work that could not be done.")
    keys = click.Group("keys", help="The keys that encrypt secrets and personal data.")
    group.add_command(failed)
    group.add_command(keys)

    @command(failed, "list")
    def list_failed(speaker: Speaker) -> None:
        """List work that waits for its next try, failed for good, or was parked.

        `waiting` work is tried again by itself; `failed` and `parked` work waits for `failed retry`.
        """
        found = with_house(lambda house: house.here(failures.list_failures, states=_SHOWN))
        rows = [
            {
                "id": each.id,
                "job": each.task.name,
                "shop_id": each.task.shop_id,
                "args": list(each.task.args),
                "state": each.state,
                "attempts": each.task.attempt,
                "error": each.code,
                "message": each.message,
                "at": each.at,
            }
            for each in found
        ]
        text = [f"{r['id']}  {r['state']:<8} {r['job']} after {r['attempts']} tries: {r['message']}" for r in rows]
        speaker.answer({"failed": rows}, text or ["No work has failed."])

    @command(failed, "retry")
    @click.argument("failure_id")
    def retry(speaker: Speaker, failure_id: str) -> None:
        """Try a failed piece of work again now."""

        def run(house: House) -> tuple[failures.Failure, bool]:
            done = house.here(failures.retry, house.work, failure_id, _BY_COMMAND, house.clock.now())
            return done, house.here(worker_runs)

        done, worker = with_house(run)
        text = f"{done.task.name} is tried again" + ("." if worker else " once a worker runs; none does now.")
        speaker.answer({"id": done.id, "job": done.task.name, "state": done.state, "worker": worker}, [text])

    @command(group, "attention")
    @click.argument("shop", default="")
    def attention(speaker: Speaker, shop: str) -> None:
        """List what needs a person in a shop, or without SHOP in the installation itself, with the cure."""

        def run(house: House) -> tuple[list[Matter], dict[str, About]]:
            shop_id = house.here(find_shop_id, shop) if shop else HOUSE
            matters = house.here(open_matters, shop_id)
            return matters, house.here(orders_of, shop_id, [each.subject for each in matters])

        found, about = with_house(run)
        names = {subject: order.name for subject, order in about.items()}
        rows = [
            {"id": m.id, "subject": m.subject, "order": names.get(m.subject), "why": m.reason, "cure": m.cure,
             "opened_at": m.opened_at}
            for m in found
        ]  # fmt: skip
        subjects = {m.subject: f"{names[m.subject]} ({m.subject})" if m.subject in names else m.subject for m in found}
        text = [line for m in found for line in (f"{subjects[m.subject]}: {m.reason.say()}", f"  {m.cure}")]
        speaker.answer({"matters": rows}, text or ["Nothing needs a person."])

    @command(keys, "new")
    def new(speaker: Speaker) -> None:
        """Print a fresh key, to be put in front of the others in WAYBILL_KEYS."""
        key = new_key()
        speaker.answer({"key": key}, [key])

    @command(keys, "rotate")
    def rotate(speaker: Speaker) -> None:
        """Encrypt everything at rest with the newest key of WAYBILL_KEYS."""

        def run(house: House) -> tuple[int, int]:
            return house.here(rotate_all, house.keyring), house.shelf.reseal()

        rows, files = with_house(run)
        speaker.answer({"values": rows, "files": files}, [f"{rows} values and {files} files have the newest key."])
