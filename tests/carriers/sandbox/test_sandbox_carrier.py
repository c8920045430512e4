"""The sandbox carrier keeps the Carrier's promises, and plays each documented fault."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr, ValidationError

from carriers.address import Address
from carriers.carrier import Carrier
from carriers.errors import CarrierError, Refused, Unavailable
from carriers.label import Created, NotBought, Purchased, Rejected, Unknown, Voided
from carriers.measure import Weight
from carriers.parcel import Parcel, RateRequest
from carriers.rate import Rate
from carriers.sandbox import KIND, SandboxCarrier, SandboxSettings
from carriers.sandbox.story import Story
from carriers.tracking import TrackingStatus
from tests.carriers.sandbox.conftest import DESTINATION, ORIGIN, SECRET, shipment
from tests.conftest import FrozenClock
from webhooks.outgoing import OutgoingClient

pytestmark = pytest.mark.anyio


def yes() -> bool:
    return True


def no() -> bool:
    return False


def request(city: str = "Košice", *, grams: int = 1200, accounts: tuple[str, ...] = ()) -> RateRequest:
    to = Address("SK", city=city)
    return RateRequest(Address("SK"), to, (Parcel(Weight(grams)),), "EUR", accounts=accounts)


def rate(created: Created, service: str = "Standard") -> Rate:
    return next(each for each in created.rates if each.service == service)


async def bought(carrier: SandboxCarrier, reference: str = "par_1") -> Purchased:
    created = await carrier.create(shipment(reference=reference))
    outcome = await carrier.purchase(created.handle, rate(created), yes)
    assert isinstance(outcome, Purchased)
    return outcome


async def test_it_is_a_carrier(settings: SandboxSettings, clock: FrozenClock) -> None:
    outgoing = OutgoingClient()
    carrier: Carrier = KIND.connect(settings, outgoing, clock)
    await outgoing.aclose()
    assert carrier.capabilities.repeat_purchase == "refused"
    assert KIND.settings is SandboxSettings


async def test_checkout_prices_have_no_ids_and_created_ones_agree_with_them(carrier: SandboxCarrier) -> None:
    asked = await carrier.rates(RateRequest(ORIGIN, DESTINATION, (shipment().parcel,), "EUR"), 1)
    created = await carrier.create(shipment())
    assert asked.test_mode is True
    assert created.test_mode is True
    assert [each.service for each in asked.rates] == ["Economy", "Standard", "Express"]
    assert {each.rate_id for each in asked.rates} == {""}
    assert [(each.key, each.price, each.transit_days) for each in asked.rates] == [
        (each.key, each.price, each.transit_days) for each in created.rates
    ]


async def test_other_accounts_are_not_answered_for(carrier: SandboxCarrier) -> None:
    assert (await carrier.rates(request(accounts=("someone",)), 1)).rates == ()
    assert (await carrier.rates(request(accounts=("sandbox",)), 1)).rates != ()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (request("sandbox-nowhere"), "no_service"),
        (RateRequest(Address("SK"), Address(""), (Parcel(Weight(1)),), "EUR"), "no_service"),
        (request(grams=30_001), "rate_refused"),
    ],
)
async def test_no_price_comes_with_the_reason(carrier: SandboxCarrier, asked: RateRequest, code: str) -> None:
    answer = await carrier.rates(asked, 1)
    assert (answer.rates, [problem.code for problem in answer.problems]) == ((), [code])


async def test_a_slow_carrier_is_cut_off_at_the_deadline(carrier: SandboxCarrier) -> None:
    answer = await carrier.rates(request("SANDBOX-SLOW"), 0.05)
    assert answer.partial
    assert [problem.code for problem in answer.problems] == ["timeout"]


async def test_a_carrier_that_is_down_says_so(carrier: SandboxCarrier) -> None:
    with pytest.raises(Unavailable):
        await carrier.rates(request("Sandbox-Down"), 1)


@pytest.mark.parametrize(
    ("city", "code"),
    [
        ("SANDBOX-REFUSE", "address_refused"),
        ("SANDBOX-EMPTY-WALLET", "wallet_empty"),
        ("SANDBOX-RATE-GONE", "rate_gone"),
    ],
)
async def test_a_refused_purchase_sells_nothing(carrier: SandboxCarrier, city: str, code: str) -> None:
    created = await carrier.create(shipment(city))
    outcome = await carrier.purchase(created.handle, rate(created), yes)
    assert isinstance(outcome, Rejected)
    assert outcome.code == code
    assert await carrier.look_up(created.handle) == NotBought(created.handle)
    assert await carrier.purchases() == 0


async def test_a_lost_answer_is_found_by_look_up_and_a_lost_request_is_not(carrier: SandboxCarrier) -> None:
    for city, sold in (("SANDBOX-LOST-ANSWER", 1), ("SANDBOX-LOST-REQUEST", 0)):
        created = await carrier.create(shipment(city, reference=city))
        outcome = await carrier.purchase(created.handle, rate(created), yes)
        assert isinstance(outcome, Unknown)
        assert isinstance(await carrier.look_up(created.handle), Purchased if sold else NotBought)
        assert await carrier.purchases(city) == sold


async def test_the_accounts_own_fault_is_played_for_every_call(settings: SandboxSettings, clock: FrozenClock) -> None:
    carrier = SandboxCarrier(settings.model_copy(update={"fault": "down"}), clock)
    with pytest.raises(Unavailable):
        await carrier.rates(request(), 1)


@pytest.mark.complaint(1)
async def test_a_handle_is_sold_once_and_a_second_try_is_told_to_look(carrier: SandboxCarrier) -> None:
    created = await carrier.create(shipment())
    first = await carrier.purchase(created.handle, rate(created), yes)
    second = await carrier.purchase(created.handle, rate(created, "Express"), yes)
    assert isinstance(first, Purchased)
    assert isinstance(second, Unknown)
    assert await carrier.look_up(created.handle) == first
    assert first.rate == rate(created)
    assert await carrier.purchases("par_1") == 1


@pytest.mark.complaint(1)
async def test_many_connections_at_once_sell_one_label(settings: SandboxSettings, clock: FrozenClock) -> None:
    created = await SandboxCarrier(settings, clock).create(shipment())
    outcomes: list[object] = []

    async def buy() -> None:
        outcomes.append(await SandboxCarrier(settings, clock).purchase(created.handle, rate(created), yes))

    async with anyio.create_task_group() as group:
        for _ in range(12):
            group.start_soon(buy)
    assert sum(isinstance(outcome, Purchased) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Unknown) for outcome in outcomes) == 11


_BUYER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import anyio
from pydantic import SecretStr
from carriers.rate import Rate
from carriers.money import Money
from carriers.sandbox import SandboxCarrier, SandboxSettings

class Now:
    def now(self):
        return datetime(2026, 11, 23, tzinfo=UTC)

carrier = SandboxCarrier(SandboxSettings(path=Path(sys.argv[1]), secret=SecretStr(sys.argv[2])), Now())
handle = sys.argv[3]
rate = Rate("sandbox", "Sandbox", "Standard", Money(1, "EUR"), rate_id=handle + ".standard")
print("ready", flush=True)
sys.stdin.readline()
print(type(anyio.run(carrier.purchase, handle, rate, lambda: True)).__name__, flush=True)
"""


@pytest.mark.slow
async def test_processes_share_the_books_and_what_was_sold_outlives_them(
    settings: SandboxSettings, carrier: SandboxCarrier
) -> None:
    created = await carrier.create(shipment())
    command = [sys.executable, "-c", _BUYER, str(settings.path), SECRET, created.handle]
    buyers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220, S603
        for _ in range(2)
    ]
    said = []
    for buyer in buyers:
        assert buyer.stdout is not None
        assert await anyio.to_thread.run_sync(buyer.stdout.readline) == "ready\n"
    for buyer in buyers:
        assert buyer.stdin is not None
        buyer.stdin.write("go\n")
        buyer.stdin.flush()
    for buyer in buyers:
        out, _ = await anyio.to_thread.run_sync(buyer.communicate)
        said.append(out.strip())
    assert sorted(said) == ["Purchased", "Unknown"]
    assert isinstance(await carrier.look_up(created.handle), Purchased)
    assert await carrier.purchases() == 1


async def test_a_lost_lease_sells_and_voids_nothing(carrier: SandboxCarrier) -> None:
    created = await carrier.create(shipment())
    outcome = await carrier.purchase(created.handle, rate(created), no)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "fenced"
    assert await carrier.purchases() == 0
    sold = await bought(carrier, "par_2")
    with pytest.raises(Unavailable):
        await carrier.void(sold.handle, no)
    assert await carrier.void(sold.handle, yes) == Voided("voided")


async def test_a_price_of_another_shipment_cannot_be_bought(carrier: SandboxCarrier) -> None:
    one, other = [await carrier.create(shipment(reference=reference)) for reference in ("par_1", "par_2")]
    outcome = await carrier.purchase(one.handle, rate(other), yes)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "rate_gone"


async def test_what_nobody_knows_is_refused(carrier: SandboxCarrier) -> None:
    for call in (carrier.look_up("sbx_none"), carrier.track("trk_none"), carrier.play("trk_none")):
        with pytest.raises(Refused):
            await call
    created = await carrier.create(shipment())
    for url in ("https://example.org/x.pdf", f"sandbox://labels/{created.handle}.pdf", "sandbox://labels/sbx_no.png"):
        with pytest.raises(Refused):
            await carrier.fetch_file(url)
    with pytest.raises(Refused):
        await carrier.create(shipment(label_format="zpl"))


async def test_a_repeated_creation_is_an_orphan_that_costs_nothing(carrier: SandboxCarrier) -> None:
    one, other = await carrier.create(shipment()), await carrier.create(shipment())
    assert one.handle != other.handle
    assert await carrier.purchases() == 0


async def test_the_same_calls_on_fresh_books_give_the_same_answers(tmp_path: Path, clock: FrozenClock) -> None:
    sold = []
    for name in ("a.db", "b.db"):
        carrier = SandboxCarrier(SandboxSettings(path=tmp_path / name, secret=SecretStr(SECRET)), clock)
        sold.append(await bought(carrier))
    assert sold[0] == sold[1]
    assert sold[0].tracking_code.startswith("SBX")


async def test_a_void_gives_money_back_once_it_came(settings: SandboxSettings, clock: FrozenClock) -> None:
    carrier = SandboxCarrier(settings.model_copy(update={"refund_s": 3600}), clock)
    created = await carrier.create(shipment())
    assert await carrier.void(created.handle, yes) == Voided("nothing_charged")
    await carrier.purchase(created.handle, rate(created), yes)
    assert await carrier.void(created.handle, yes) == Voided("requested")
    clock.advance(hours=1)
    assert await carrier.void(created.handle, yes) == Voided("voided")
    sold = await carrier.look_up(created.handle)
    assert isinstance(sold, Purchased)
    tracked = await carrier.track(sold.tracker)
    assert tracked.events[-1].status is TrackingStatus.CANCELLED
    with pytest.raises(Refused):
        await carrier.play(sold.tracker)


async def test_a_parcel_on_its_way_cannot_be_voided(carrier: SandboxCarrier) -> None:
    sold = await bought(carrier)
    await carrier.play(sold.handle, 1)
    assert (await carrier.void(sold.handle, yes)).state == "refused"


async def test_names_of_persons_are_sealed_in_the_books_and_forgotten_in_time(
    carrier: SandboxCarrier, settings: SandboxSettings, clock: FrozenClock
) -> None:
    sold = await bought(carrier)
    assert b"Canary" not in settings.path.read_bytes()
    clock.advance(days=61)
    await carrier.create(shipment(reference="par_2"))
    with sqlite3.connect(settings.path) as books:
        (content,) = books.execute("SELECT content FROM shipments WHERE handle = ?", (sold.handle,)).fetchone()
    books.close()
    assert content is None
    with pytest.raises(CarrierError):
        await carrier.fetch_file(sold.files[0].url)
    assert await carrier.purchases() == 1


async def test_another_accounts_secret_does_not_open_the_books(
    carrier: SandboxCarrier, settings: SandboxSettings, clock: FrozenClock
) -> None:
    sold = await bought(carrier)
    stranger = SandboxCarrier(settings.model_copy(update={"secret": SecretStr("another-secret-yes")}), clock)
    with pytest.raises(Refused):
        await stranger.look_up(sold.handle)


async def test_the_story_ends_in_delivery_at_times_that_follow_from_the_purchase(
    carrier: SandboxCarrier, clock: FrozenClock
) -> None:
    sold = await bought(carrier)
    start = clock.now()
    clock.advance(days=1)
    assert [event.status for event in (await carrier.track(sold.tracker)).events] == [TrackingStatus.LABEL_MADE]
    deliveries = await carrier.play(sold.tracking_code, 2)
    assert len(deliveries) == 3, "the label itself, then two steps"
    deliveries += await carrier.play(sold.tracker)
    assert await carrier.play(sold.handle) == []
    told = await carrier.track(sold.tracker)
    assert [(event.status.value, event.at - start, event.city) for event in told.events] == [
        ("label_made", timedelta(0), "Bratislava"),
        ("in_transit", timedelta(hours=6), "Bratislava"),
        ("in_transit", timedelta(hours=18), "Sandbox Hub"),
        ("out_for_delivery", timedelta(days=3) - timedelta(hours=4), "Košice"),
        ("delivered", timedelta(days=3), "Košice"),
    ]
    assert told.estimated_delivery == start + timedelta(days=3)
    assert told.test_mode is True
    assert len(deliveries) == 5
    assert carrier.read_webhook(deliveries[-1].body) == [told]


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ("attempted", "label_made in_transit in_transit out_for_delivery attempted out_for_delivery delivered"),
        ("returned", "label_made in_transit in_transit out_for_delivery attempted returning returning"),
        ("lost", "label_made in_transit in_transit"),
    ],
)
async def test_other_stories_can_be_chosen_until_the_parcel_has_left(
    carrier: SandboxCarrier, story: Story, words: str
) -> None:
    sold = await bought(carrier)
    await carrier.play(sold.handle, 1, story)
    await carrier.play(sold.handle, None, "delivered")
    events = (await carrier.track(sold.tracker)).events
    assert [event.status.value for event in events] == words.split()
    assert [event.at for event in events] == sorted(event.at for event in events)


async def test_text_that_utf8_cannot_hold_does_not_break_a_purchase(carrier: SandboxCarrier) -> None:
    created = await carrier.create(shipment("\ud800 town"))
    assert isinstance(await carrier.purchase(created.handle, rate(created), yes), Purchased)


@pytest.mark.parametrize("change", [{"secret": "short"}, {"account": "No Spaces"}, {"fault": "fire"}, {"dpi": 72}])
def test_settings_out_of_range_are_refused(settings: SandboxSettings, change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SandboxSettings.model_validate(settings.model_dump() | change)


def test_the_secret_is_not_shown(settings: SandboxSettings) -> None:
    assert SECRET not in repr(settings)
