"""Answers that are kept for a stretch of weights are the ones that the table gives for each weight."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.address import Address
from carriers.measure import Size, Weight
from carriers.parcel import Parcel, RateRequest
from carriers.rate_table import RateTableCarrier, RateTableSettings, pack
from tests.carriers.rate_table.golden.rules import CASES
from tests.carriers.rate_table.sheets import SERVICE, TABLE, ZONE, line, price, sheet
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOLDEN = ("europe", "america", "crown", "counts")
PLACES = (
    Address("SK", "811 01"),
    Address("AT", "1010"),
    Address("US", "90210", "CA"),
    Address("US", "10001", "NY"),
    Address("GB", "E14 5AB"),
    Address("FR"),
)
BANDS = (TABLE, SERVICE, ZONE, price(weight_to="1"), price(weight_over="1", weight_to="5", price="7.50"))


def carrier(raw: bytes, clock: FrozenClock | None = None) -> RateTableCarrier:
    return RateTableCarrier(RateTableSettings(file=pack(raw)), clock or FrozenClock(NOW))


TABLES = {name: carrier(CASES.with_name(f"{name}.csv").read_bytes()) for name in GOLDEN}


def asked(grams: int, to: Address = PLACES[0], size: Size | None = None, currency: str = "EUR") -> RateRequest:
    return RateRequest(PLACES[0], to, (Parcel(Weight(grams), size),), currency)


@given(
    st.sampled_from(GOLDEN),
    st.sampled_from(PLACES),
    st.lists(st.integers(0, 40_000) | st.sampled_from([453, 454, 500, 501, 1000, 1001, 2000, 2001]), min_size=2),
    st.sampled_from([None, Size(400, 300, 200)]),
    st.sampled_from(["EUR", "USD", "GBP"]),
)
async def test_whatever_was_asked_before_the_answer_is_the_table_s_own(
    name: str, to: Address, weights: list[int], size: Size | None, currency: str
) -> None:
    table = TABLES[name]
    for grams in weights:
        request = asked(grams, to, size, currency)
        priced, missing = table.table.price(request, date(2026, 11, 23))
        found = await table.rates(request, 1)
        assert [(each.service, each.price, each.transit_days) for each in found.rates] == [
            (each.service, each.price, each.days) for each in priced
        ]
        assert [(each.code, each.message) for each in found.problems] == [(each.code, each.message) for each in missing]


async def test_the_same_band_is_the_same_answer_and_a_refusal_names_its_own_weight() -> None:
    table = carrier(sheet(*BANDS))
    assert await table.rates(asked(1001), 1) is await table.rates(asked(5000), 1)
    assert await table.rates(asked(1000), 1) is not await table.rates(asked(1001), 1)
    (six,), (seven,) = [(await table.rates(asked(grams), 1)).problems for grams in (6000, 7000)]
    assert "6 kg" in six.message
    assert "7 kg" in seven.message


async def test_a_surcharge_begins_on_its_day() -> None:
    clock = FrozenClock(NOW)
    table = carrier(sheet(*BANDS, line("surcharge", name="Peak", amount="1.00", from_="2026-11-24")), clock)
    before = await table.rates(asked(900), 1)
    clock.advance(days=1)
    after = await table.rates(asked(900), 1)
    assert [each.rates[0].price.minor for each in (before, after)] == [500, 600]
