"""Commands about quotes: ask, explain, replay."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from carriers.money import Money
from connector import shop_settings
from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.quotes import ledger
from connector.quotes.explain import explain
from connector.quotes.ledger import LedgerRow
from connector.quotes.replay import replay
from connector.store import Answer, Incoming, Refusal, UseBackup
from connector.wiring import House
from connector.words.reason import Reason
from webhooks.errors import WaybillError


class _AskByDefault(click.Group):
    """`waybill quote FILE` asks; `waybill quote explain ID` and `replay ID` are its commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A first word that is no command is a file."""
        if args and args[0] not in self.commands:
            args = ["ask", *args]
        return super().resolve_command(ctx, args)


def add_to(group: click.Group) -> None:
    """Register the commands."""
    quote = _AskByDefault("quote", help="Ask for a quote: `waybill quote FILE --shop S`; explain and replay past ones.")
    group.add_command(quote)

    @command(quote, "ask")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--shop", required=True, help="The shop's id or domain.")
    def ask(speaker: Speaker, file: Path, shop: str) -> None:
        """Answer a store's raw rate request from a file, as the checkout would be answered.

        The answer is kept like every other, and can be explained and replayed.
        """
        row, status, body = in_house(lambda house: _ask(house, shop, file.read_bytes()))
        speaker.answer({"status": status, "body": body, **_data(row)}, [*explain(row), "", body])

    @command(quote, "explain")
    @click.argument("quote_id")
    def explain_one(speaker: Speaker, quote_id: str) -> None:
        """Say how an answer came about."""
        row, _ = in_house(lambda house: _load(house, quote_id))
        speaker.answer(_data(row), explain(row))

    @command(quote, "replay")
    @click.argument("quote_id")
    def replay_one(speaker: Speaker, quote_id: str) -> None:
        """Make the decision again, offline, and compare the answer byte for byte."""
        row, house_store = in_house(lambda house: _load(house, quote_id))

        def write(answer: Answer | UseBackup, echo: Any) -> bytes:
            return bytes(house_store.write_answer(answer, echo).body)

        result = replay(row, write)
        data = {
            "quote_id": row.id,
            "same": result.same,
            "digest": result.digest,
            "kept_digest": result.kept_digest,
            "changes": list(result.changes),
        }
        text = "The answer is the same, byte for byte." if result.same else "The answer is not the same any more:"
        speaker.answer(data, [text, *(f"  {change}" for change in result.changes)])
        if not result.same:
            raise SystemExit(1)


async def _ask(house: House, reference: str, raw: bytes) -> tuple[LedgerRow, int, str]:
    shop = named_shop(house, reference)
    settings = shop.settings.model_copy(update={"hmac": "off"})  # A file carries no signature.
    store = house.directory.connect_store(shop.record, settings)
    call = store.read_rate_call(Incoming({}, {}, raw, shop.domain))
    if isinstance(call, Refusal):
        where = f" at {call.field}" if call.field else ""
        title = shop.kind.title
        raise WaybillError(f"The file is no rate request of {title}: {call.code}{where}.", detail=call.field)
    reply, row = await house.quote_desk.answer(shop.quoting, call, time.monotonic())
    await house.ledger.flush()
    return row, reply.status, reply.body.decode("utf-8", "replace")


async def _load(house: House, quote_id: str) -> tuple[LedgerRow, Any]:
    def find(connection: Any) -> LedgerRow | None:
        shop_id = ledger.shop_of(connection, quote_id)
        return None if shop_id is None else ledger.load(connection, shop_id, quote_id)

    row = await house.database.run(find)
    shop = None if row is None else house.directory.shop(row.shop_id)
    if row is None or shop is None:
        raise WaybillError("There is no such quote.", detail=quote_id)
    return row, shop.store


def _data(row: LedgerRow) -> dict[str, Any]:
    decision = row.decision
    return {
        "quote_id": row.id,
        "at": row.at,
        "outcome": decision.outcome,
        "why": Reason.from_json(decision.why) if decision.why else None,
        "offers": [
            {
                "code": offer.code,
                "name": offer.name,
                "price": Money(offer.minor, offer.currency),
                "source": offer.source,
                "bought_as": offer.bought_as.model_dump() if offer.bought_as else None,
                "steps": [
                    {"text": Reason.from_json(step.reason).say(), "price": Money(step.minor, step.currency)}
                    for step in offer.steps
                ],
            }
            for offer in decision.offers
        ],
        "withheld": [
            {"carrier": each.carrier, "service": each.service, "why": Reason.from_json(each.reason), "said": each.said}
            for each in decision.withheld
        ],
        "settings_version": row.facts.settings_version,
        "settings": shop_settings.dump(shop_settings.load(row.facts.settings)),
        "elapsed_ms": row.elapsed_ms,
        "text": explain(row),
    }
