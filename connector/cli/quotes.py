"""Commands about quotes: ask, explain, replay, diff."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from anyio import to_thread

from carriers.money import Money
from connector import shop_settings
from connector.cli import learned
from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.cli.settings import read_changes
from connector.quotes import ledger
from connector.quotes.compare import Compared, compare
from connector.quotes.explain import explain
from connector.quotes.ledger import LedgerRow
from connector.quotes.past import past_answers
from connector.quotes.replay import ReplayedAll, WriteAnswer, replay, replay_all
from connector.store import Answer, Incoming, Refusal, UseBackup
from connector.wiring import House
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
    learned.add_to(quote)

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
    @click.argument("quote_id", required=False)
    @click.option("--all", "everything", is_flag=True, help="Every kept answer of the shops, or of --shop.")
    @click.option("--shop", help="With --all: the shop's id or domain.")
    def replay_one(speaker: Speaker, quote_id: str | None, everything: bool, shop: str | None) -> None:
        """Make the decision again, offline, and compare the answer byte for byte.

        With --all every kept answer. After an upgrade that changes results this shows what changed, and why.
        """
        if everything == bool(quote_id):
            raise click.UsageError("name one quote, or --all.")
        if not (_replay_one(speaker, quote_id) if quote_id else _replay_all(speaker, shop)):
            raise SystemExit(1)

    @command(quote, "diff")
    @click.argument("shop")
    @click.option(
        "--with",
        "file",
        required=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A file of KEY=VALUE lines, as `waybill settings` takes them; they change today's settings.",
    )
    @click.option("--last", default=5000, show_default=True, type=click.IntRange(1), help="How many past answers.")
    def diff(speaker: Speaker, shop: str, file: Path, last: int) -> None:
        """Answer past carts again under other settings, offline: how many change, by how much, who would have no rate.

        Nothing is published. Carriers are not asked: their kept answers count.
        """
        changes = read_changes(file.read_text(encoding="utf-8").splitlines())
        compared = in_house(lambda house: _diff(house, shop, changes, last))
        speaker.answer(diff_data(compared), diff_lines(compared))


def _replay_one(speaker: Speaker, quote_id: str) -> bool:
    row, store = in_house(lambda house: _load(house, quote_id))
    result = replay(row, _writer(store))
    data = {
        "quote_id": row.id,
        "same": result.same,
        "digest": result.digest,
        "kept_digest": result.kept_digest,
        "changes": list(result.changes),
    }
    text = "The answer is the same, byte for byte." if result.same else "The answer is not the same any more:"
    speaker.answer(data, [text, *(f"  {change}" for change in result.changes)])
    return result.same


def _replay_all(speaker: Speaker, shop: str | None) -> bool:
    found = in_house(lambda house: _replay_shops(house, shop))
    data = {
        "answers": found.answers,
        "same": found.same,
        "not_same": found.not_same,
        "kinds": [{"what": kind, "answers": count} for kind, count in found.kinds.most_common()],
        "versions": [{"version": version, "answers": count} for version, count in sorted(found.versions.items())],
        "different": [{"quote_id": each.quote_id, "changes": list(each.changes)} for each in found.different],
    }
    if found.same:
        lines = [f"{found.answers} answers, all the same, byte for byte."]
    else:
        lines = [f"{found.not_same} of {found.answers} answers are not the same any more:"]
        lines += [f"  {count} x {kind}" for kind, count in found.kinds.most_common()]
        lines += ["", "For example:", *(f"  {each.quote_id}: {'; '.join(each.changes)}" for each in found.different)]
    speaker.answer(data, lines)
    return found.same


async def _replay_shops(house: House, reference: str | None) -> ReplayedAll:
    shops = [named_shop(house, reference)] if reference else list(house.directory.shops())
    total = ReplayedAll()
    for shop in shops:
        rows = past_answers(house.database, shop.id)
        total.add(await to_thread.run_sync(replay_all, rows, _writer(shop.store)))
    return total


async def _diff(house: House, reference: str, changes: dict[str, str], last: int) -> Compared:
    shop = named_shop(house, reference)
    settings = shop_settings.change(shop.settings, changes, shop.record.currency)
    rows = past_answers(house.database, shop.id, limit=last)
    return await to_thread.run_sync(compare, rows, settings)


def diff_data(found: Compared) -> dict[str, Any]:
    """What a comparison found, as data."""
    return {
        "answers": found.answers,
        "changed": found.changed,
        "no_rate": found.no_rate,
        "rate_again": found.rate_again,
        "anew": found.anew,
        "moves": [
            {
                "dearer": each.dearer,
                "cheaper": each.cheaper,
                "total": each.total,
                "median": each.median,
                "least": each.least,
                "most": each.most,
            }
            for each in found.moves()
        ],
        "offers": [
            {"code": code, "change": change, "answers": count} for (code, change), count in found.offers.most_common()
        ],
        "largest": [
            {"quote_id": each.quote_id, "before": each.before, "after": each.after} for each in found.largest[:10]
        ],
    }


def diff_lines(found: Compared) -> list[str]:
    """What a comparison found, as text."""
    if not found.answers:
        return ["No answer is kept yet: there is nothing to compare."]
    lines = [f"{found.changed} of {found.answers - found.anew} past answers would change."]
    if found.no_rate:
        lines.append(f"{found.no_rate} buyers would have seen no price at all.")
    if found.rate_again:
        lines.append(f"{found.rate_again} buyers would have seen prices who saw none.")
    lines += [
        f"Cheapest price: {each.dearer} dearer, {each.cheaper} cheaper, {each.total} in all; "
        f"in the middle {each.median}, from {each.least} to {each.most}."
        for each in found.moves()
    ]
    lines += [f"  {code}: {change} in {count}" for (code, change), count in found.offers.most_common(20)]
    if found.largest:
        lines += ["The largest differences:"]
        lines += [f"  {m.quote_id}: {m.before or 'no price'} -> {m.after or 'no price'}" for m in found.largest[:10]]
    if found.anew:
        lines.append(
            f"{found.anew} answers are left out: parcels or origin would differ, so carriers would have to be asked."
        )
    return lines


def _writer(store: Any) -> WriteAnswer:
    def write(answer: Answer | UseBackup, echo: Any) -> bytes:
        return bytes(store.write_answer(answer, echo).body)

    return write


async def _ask(house: House, reference: str, raw: bytes) -> tuple[LedgerRow, int, str]:
    shop = named_shop(house, reference)
    settings = shop.settings.model_copy(update={"hmac": "off"})  # A file carries no signature.
    store = house.directory.connect_store(shop.record, settings, shop.app)
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
        "why": decision.why,
        "offers": [
            {
                "code": offer.code,
                "name": offer.name,
                "price": Money(offer.minor, offer.currency),
                "source": offer.source,
                "bought_as": offer.bought_as.whole() if offer.bought_as else None,
                "steps": [
                    {"text": step.reason.say(), "price": Money(step.minor, step.currency)} for step in offer.steps
                ],
            }
            for offer in decision.offers
        ],
        "withheld": [
            {"carrier": each.carrier, "service": each.service, "why": each.reason, "said": each.said}
            for each in decision.withheld
        ],
        "notes": list(decision.notes),
        "settings_version": row.facts.settings_version,
        "settings": shop_settings.dump(shop_settings.load(row.facts.settings)),
        "elapsed_ms": row.elapsed_ms,
        "text": explain(row),
    }
