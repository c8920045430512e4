"""Answer a rate call: the journey from the call to the bytes, with no database in between."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from carriers.address import Address
from connector import shop_settings
from connector.packing.plan import Plan
from connector.quotes.answers import AccountAnswer
from connector.quotes.ask import Account, Question
from connector.quotes.carrier_answers import CarrierAnswers
from connector.quotes.decide import cannot_ask, decide, plan
from connector.quotes.facts import Facts
from connector.quotes.ledger import LedgerRow
from connector.quotes.reduced import Place, reduce
from connector.shop_settings import ShopSettings
from connector.storage.ids import new_id
from connector.store import Cart, RateCall, Store
from webhooks.receiver import Reply

_MARGIN_S = 0.15  # For reading, deciding and writing around the carriers' answers.


@dataclass(frozen=True, slots=True)
class Origin:
    """A place that goods leave from. `external_id` is the store's id of it."""

    id: str
    external_id: str
    address: Address
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class QuotingShop:
    """What quoting knows of a shop, held in memory: one settings version with the connections that belong to it."""

    id: str
    store: Store
    settings: ShopSettings
    settings_version: int
    timezone: str
    origins: tuple[Origin, ...]
    accounts: tuple[Account, ...]
    facts_by_origin: dict[str, Facts] = field(default_factory=dict, compare=False)

    def origin_for(self, cart: Cart) -> tuple[str, Address | None]:
        """Our location's id and the address that the goods leave from.

        The call's own origin, where it is complete enough to be priced, matched to a location by postal code; else
        the default location.
        """
        asked = cart.origin
        if cart.location_id:
            named = next((each for each in self._places() if each.external_id == cart.location_id), None)
            if named:
                return named.id, named.address
        if asked is not None and asked.country and asked.postal_code:
            near = next((each for each in self._places() if _same_place(each.address, asked)), None)
            return (near.id, near.address) if near else ("", asked)
        default = self.default_origin()
        return (default.id, default.address) if default else ("", None)

    def default_origin(self) -> Origin | None:
        """The location that the settings name, else the store's default, else the only one."""
        named = self.settings.default_location
        if named:
            return next((each for each in self._places() if named in (each.id, each.external_id)), None)
        chosen = [each for each in self._places() if each.is_default] or self._places()
        return chosen[0] if len(chosen) == 1 else None

    def _places(self) -> list[Origin]:
        """The locations whose address says at least which country: carriers cannot be asked from the others."""
        return [each for each in self.origins if each.address.country]


class Ledger(Protocol):
    """Where answers are kept."""

    def put(self, row: LedgerRow) -> None:
        """Take a row in; never waits and never fails."""
        ...


class QuoteDesk:
    """Answers rate calls. `now` is business time; waiting is measured by the process's monotonic clock."""

    def __init__(
        self,
        now: Callable[[], datetime],
        keyed_hash: Callable[[bytes], str],
        ledger: Ledger,
        carriers: CarrierAnswers | None = None,
    ) -> None:
        self._now = now
        self._keyed_hash = keyed_hash
        self._ledger = ledger
        self._carriers = carriers or CarrierAnswers()

    async def aclose(self) -> None:
        """End calls to carriers that still go on in the background."""
        await self._carriers.aclose()

    async def answer(
        self, shop: QuotingShop, call: RateCall, received_at: float | None = None
    ) -> tuple[Reply, LedgerRow]:
        """The platform's reply, and the row that explains it (already on its way to the ledger).

        `received_at` is when the call arrived, in seconds of `time.monotonic()`; deadlines count from there.
        """
        started = time.monotonic() if received_at is None else received_at
        now = self._now()
        cart = reduce(call.cart, self._keyed_hash)
        location_id, origin = shop.origin_for(call.cart)
        facts = self._facts(shop, location_id, origin)
        planned = plan(cart, shop.settings)
        answers: tuple[AccountAnswer, ...] = ()
        if cannot_ask(cart, facts, planned) is None and shop.accounts:
            assert origin is not None and call.cart.destination is not None and isinstance(planned, Plan)  # noqa: S101, PT018 - as cannot_ask said.
            question = Question(origin, call.cart.destination, planned, cart.currency, cart.goods, cart.units)
            answers = await self._carriers.ask(shop.accounts, question, self._time_left(shop, started))
        decision = decide(cart, facts, answers, now)
        quote_id = new_id("quo", now)
        reply = shop.store.write_answer(decision.answer(quote_id, now), call.echo)
        row = LedgerRow(
            shop_id=shop.id,
            id=quote_id,
            at=now,
            cart=cart,
            facts=facts,
            answers=answers,
            decision=decision,
            echo=call.echo,
            signature=call.signature,
            digest=hashlib.sha256(reply.body).hexdigest(),
            elapsed_ms=int((time.monotonic() - started) * 1000),
            plan_id=planned.id if isinstance(planned, Plan) else "",
        )
        self._ledger.put(row)
        return reply, row

    def _time_left(self, shop: QuotingShop, started: float) -> float:
        hard = min(shop.settings.hard_deadline_ms / 1000, shop.store.capabilities.hard_deadline_s) - _MARGIN_S
        return max(0.05, hard - (time.monotonic() - started))

    def _facts(self, shop: QuotingShop, location_id: str, origin: Address | None) -> Facts:
        key = location_id or repr(origin)
        facts = shop.facts_by_origin.get(key)
        if facts is None:
            facts = Facts(
                settings_version=shop.settings_version,
                settings=shop_settings.dump(shop.settings),
                timezone=shop.timezone,
                origin=None if origin is None else _origin_place(origin),
                location_id=location_id,
                hard_deadline_s=shop.store.capabilities.hard_deadline_s,
            )
            if len(shop.facts_by_origin) < 1000:
                shop.facts_by_origin[key] = facts
        return facts


def _origin_place(origin: Address) -> Place:
    return Place(country=origin.country, province=origin.province, city=origin.city, postal_code=origin.postal_code)


def _same_place(ours: Address, asked: Address) -> bool:
    same = "".join(ours.postal_code.split()).casefold() == "".join(asked.postal_code.split()).casefold()
    return same and ours.country == asked.country
