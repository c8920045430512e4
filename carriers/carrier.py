"""The Protocol that every carrier fulfils, and what each call promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import BaseModel

from carriers.invoice import CarrierNews
from carriers.label import Created, NotBought, Purchased, Rejected, Unknown, Voided
from carriers.money import Money
from carriers.parcel import RateRequest, Shipment
from carriers.rate import Rate, Rates
from carriers.tracking import TrackingUpdate
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock, Fence
from webhooks.receiver import Authentic, Forged

RepeatPurchase = Literal["refused", "by_reference", "unsafe"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a carrier can do; what is not declared here is never called.

    `repeat_purchase`: what the carrier does with a second purchase of the same handle. `refused`: says that it is
    bought already; `by_reference`: returns the first label; `unsafe`: may sell a second one, so an unclear outcome is
    held for a person. `look_up_ceiling_s`: after so many seconds a purchase that is not to be seen did not happen.
    `sells_labels`: false for prices without a party behind them, whose labels a person buys by hand.
    `signature`: a shipment's `signature` is asked for at the door.
    `local`: this process computes the prices itself, at once and the same every time.
    `void_days`: within how many days of the purchase a label can be voided, by carrier as its rates name it; a pair
    with an empty name holds for all others.
    """

    repeat_purchase: RepeatPurchase
    look_up_ceiling_s: int
    label_formats: frozenset[str] = frozenset({"pdf"})
    needs_street: bool = False
    void: bool = True
    track: bool = True
    webhooks: bool = True
    manifest: bool = False
    pickup: bool = False
    verify_address: bool = False
    insure: bool = False
    return_label: bool = False
    multi_parcel: bool = False
    sells_labels: bool = True
    signature: bool = False
    local: bool = False
    void_days: tuple[tuple[str, int], ...] = ()

    def void_window_days(self, carrier: str) -> int | None:
        """Days from the purchase in which this carrier takes a label back; None where that is not declared."""
        days = {name.casefold(): count for name, count in self.void_days}
        return days.get(carrier.casefold(), days.get(""))


class Carrier(Protocol):
    """One carrier connection with one set of credentials.

    Reads raise `carriers.errors.CarrierError`; expected outcomes of purchases are returned. Every outgoing call is
    bounded by `deadline` or the connection's own time-outs, in seconds from the call.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this carrier can do."""
        ...

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:
        """Prices for the parcels. Accounts without a price are `problems`; rates may have no ids."""
        ...

    async def create(self, shipment: Shipment) -> Created:
        """Make a shipment that can be bought; costs nothing. A repeat may leave an orphan, which costs nothing."""
        ...

    async def purchase(self, handle: str, rate: Rate, fence: Fence) -> Purchased | Rejected | Unknown:
        """Buy the created shipment's rate. Never repeated by the client; any doubt is `Unknown`.

        `fence` is asked just before the first byte leaves; if it says no the outcome is `Rejected("fenced")`.
        """
        ...

    async def look_up(self, handle: str, rate: Rate | None = None) -> Purchased | Rejected | NotBought:
        """How a purchase of the created shipment ended. Raises CarrierError if that cannot be said now.

        `rate` is the one of the intent, for carriers that know a purchase by its rate only (Shippo).
        """
        ...

    async def fetch_file(self, url: str) -> tuple[str, bytes]:
        """A document that the carrier keeps for us: media type and content."""
        ...

    async def void(self, handle: str, fence: Fence) -> Voided:
        """Ask the money back; safe to repeat."""
        ...

    async def void_state(self, handle: str) -> Voided:
        """How a void that was asked for stands; a read. Raises CarrierError if that cannot be said now.

        Here and in `void`, `handle` is the one of the purchase (`Purchased.handle`).
        """
        ...

    async def track(self, tracker: str) -> TrackingUpdate:
        """The parcel's history as the carrier has it now."""
        ...

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        """Check a delivery's signature on the raw bytes; header names are lower case. Never raises."""
        ...

    def read_webhook(self, raw: bytes) -> Sequence[CarrierNews]:
        """Tracking, bills and refunds in a verified delivery; nothing for events that mean nothing to us."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Connect(Protocol):
    """Makes a connection from validated settings."""

    def __call__(self, settings: BaseModel, outgoing: Outgoing, clock: Clock) -> Carrier:
        """`settings` is an instance of the kind's settings model."""
        ...


HookSetUp = Literal["done", "kept"]


class SetUpHook(Protocol):
    """Registers our tracking URL at the carrier."""

    async def __call__(self, settings: BaseModel, url: str) -> HookSetUp:
        """Done (it was missing or switched off) or kept; safe to repeat. Raises CarrierError."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands with its carrier.

    `balance`: money that labels are paid from; None where it is not told. `refills`: it is topped up by itself.
    """

    balance: Money | None = None
    refills: bool = False


class ReadStanding(Protocol):
    """Asks how an account stands; a read."""

    async def __call__(self, settings: BaseModel, outgoing: Outgoing, deadline_s: float) -> Standing:
        """Raises CarrierError: Misconfigured for credentials that are refused."""
        ...


@dataclass(frozen=True, slots=True)
class CarrierKind:
    """A carrier that Waybill knows: its name, its settings, and how to connect. One registration line each.

    `settings` is a pydantic model of credentials and options; fields of type SecretStr are secrets. `set_up_hook` is
    None where the merchant has to register the tracking URL by hand; `standing` where the carrier has no wallet, or
    tells nothing of it.
    """

    name: str
    title: str
    settings: type[BaseModel]
    capabilities: Capabilities
    connect: Connect = field(repr=False)
    set_up_hook: SetUpHook | None = field(default=None, repr=False)
    standing: ReadStanding | None = field(default=None, repr=False)


def bare(connection: Carrier) -> object:
    """A connection without what was put around it (a wrapper keeps it as `connection`): it may be able to do more."""
    return getattr(connection, "connection", connection)
