"""Learned prices: told only from what was seen, within a bound that held before, and dropped when carriers change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.address import Address
from carriers.measure import Size, Weight
from carriers.parcel import Parcel, RateRequest
from connector.quotes.answers import AccountAnswer, KeptProblem, KeptRate
from connector.quotes.learning.lane import Asked, asked_of, billable
from connector.quotes.learning.model import LearnedPrices
from connector.quotes.learning.samples import LIFE_S, Sample, Samples

NOW = 1_800_000_000.0
DAY = 86_400.0
LANE = ("US.100>US.any.USD.941", "US.100>US.any.USD")


def asked(*grams: int, lane: str = "941") -> Asked:
    return Asked((f"US.100>US.any.USD.{lane}", "US.100>US.any.USD"), grams)


def answer(minor: int, *more: KeptRate, gap: bool = False) -> AccountAnswer:
    problems = (KeptProblem(account="ca_9", carrier="UPS", code="timeout"),) if gap else ()
    rate = KeptRate(account="ca_1", carrier="USPS", service="Ground", minor=minor, currency="USD", transit_days=3)
    return AccountAnswer(
        account_id="acc_1", carrier="easypost", state="answered", rates=(rate, *more), problems=problems
    )


def by_weight(grams: int) -> int:
    """A price list without steps."""
    return 600 + grams // 10


def by_half_kilogram(grams: int) -> int:
    """A price list in steps of half a kilogram."""
    return 600 + 150 * (-(-grams // 500))


def taught(*weights: int, lane: str = "941") -> LearnedPrices:
    learned = LearnedPrices()
    for number, grams in enumerate(weights):
        learned.learn("acc_1", asked(grams, lane=lane), answer(by_weight(grams)), NOW + number)
    return learned


SEEN = (400, 900, 1400, 1900, 2400, 450, 950, 1450, 1950, 2350, 400, 900, 1400)


def test_a_price_that_was_seen_often_is_told_with_its_bound() -> None:
    told = taught(*SEEN).tell("acc_1", asked(900), NOW + 60, 50)
    (rate,) = told.rates
    assert told.whole
    assert (rate.minor, rate.currency, rate.transit_days, rate.stand_in) == (by_weight(900), "USD", 3, "learned")
    assert 0 < rate.bound_permille <= 50
    assert rate.samples >= 5


def test_cold_nothing_is_told() -> None:
    """Neither from nothing, nor from prices that were never told before they came."""
    assert LearnedPrices().tell("acc_1", asked(900), NOW, 500).rates == ()
    assert taught(900).tell("acc_1", asked(900), NOW + 5, 500).rates == ()
    assert taught(900, 900).tell("acc_1", asked(900), NOW + 5, 500).rates == ()


@pytest.mark.parametrize("grams", [100, 5000])
def test_nothing_is_told_beyond_the_weights_that_were_seen(grams: int) -> None:
    assert taught(*SEEN).tell("acc_1", asked(grams), NOW + 60, 500).rates == ()


def test_a_price_outside_the_merchant_s_bound_is_not_used() -> None:
    learned = taught(*SEEN)
    between = learned.tell("acc_1", asked(1150), NOW + 60, 500).rates[0]
    assert between.bound_permille > 1
    assert learned.tell("acc_1", asked(1150), NOW + 60, between.bound_permille - 1).rates == ()
    assert not learned.tell("acc_1", asked(1150), NOW + 60, between.bound_permille - 1).whole


def test_a_price_list_s_steps_are_found_and_a_price_in_the_same_step_is_its_own() -> None:
    learned = LearnedPrices()
    for number in range(60):
        grams = 120 + 97 * number % 2900
        learned.learn("acc_1", asked(grams), answer(by_half_kilogram(grams)), NOW + number)
    for grams in (501, 733, 999, 1000, 1777):
        (rate,) = learned.tell("acc_1", asked(grams), NOW + 100, 20).rates
        assert rate.minor == by_half_kilogram(grams)


def test_lanes_of_one_price_list_learn_from_each_other() -> None:
    learned = LearnedPrices()
    for number in range(40):
        grams = 200 + 150 * (number % 20)
        learned.learn("acc_1", asked(grams, lane=f"{600 + number // 20}"), answer(by_weight(grams)), NOW + number)
        learned.learn("acc_1", asked(grams, lane="331"), answer(2 * by_weight(grams)), NOW + number)
    for number, grams in enumerate((200, 350, 3050)):
        learned.learn("acc_1", asked(grams, lane="941"), answer(by_weight(grams)), NOW + 60 + number)
    (rate,) = learned.tell("acc_1", asked(950, lane="941"), NOW + 100, 30).rates
    assert rate.minor == by_weight(950)


def test_zones_that_were_met_apart_become_one_when_their_prices_agree() -> None:
    """One lane was seen with light parcels and one with heavy ones, until both were seen with the same ones."""
    learned = LearnedPrices()
    for number in range(40):
        grams = 100 + 97 * (number % 20)
        learned.learn("acc_1", asked(grams, lane="600"), answer(by_half_kilogram(grams)), NOW + number)
        learned.learn("acc_1", asked(grams + 2900, lane="700"), answer(by_half_kilogram(grams + 2900)), NOW + number)
    for number in range(40):
        grams = 1900 + 97 * (number % 20)
        learned.learn("acc_1", asked(grams, lane="600"), answer(by_half_kilogram(grams)), NOW + 50 + number)
    (rate,) = learned.tell("acc_1", asked(4600, lane="600"), NOW + 100, 20).rates
    assert rate.minor == by_half_kilogram(4600)


def test_a_lane_with_one_price_is_of_the_only_zone_that_has_it() -> None:
    learned = LearnedPrices()
    for number in range(60):
        grams = 120 + 97 * number % 2900
        learned.learn("acc_1", asked(grams, lane="600"), answer(by_half_kilogram(grams)), NOW + number)
        learned.learn("acc_1", asked(grams, lane="700"), answer(by_half_kilogram(grams) + 55), NOW + number)
    learned.learn("acc_1", asked(800, lane="800"), answer(by_half_kilogram(800) + 55), NOW + 70)
    (rate,) = learned.tell("acc_1", asked(2600, lane="800"), NOW + 100, 20).rates
    assert rate.minor == by_half_kilogram(2600) + 55


def test_a_line_between_two_weights_is_believed_as_far_as_it_was_right_before() -> None:
    straight, crooked = LearnedPrices(), LearnedPrices()
    for number in range(60):
        grams = 100 * (1 + number % 20)
        straight.learn("acc_1", asked(grams), answer(by_weight(grams)), NOW + number)
        crooked.learn("acc_1", asked(grams), answer(by_weight(grams) + 200 * (grams // 100 % 2)), NOW + number)
    assert straight.tell("acc_1", asked(1050), NOW + 100, 10).rates[0].minor == by_weight(1050)
    assert crooked.tell("acc_1", asked(1050), NOW + 100, 50).rates == ()


def test_another_account_or_another_place_is_not_told_from_this_one() -> None:
    learned = taught(*SEEN)
    assert learned.tell("acc_2", asked(900), NOW + 60, 500).rates == ()
    elsewhere = Asked(("US.100>CA.any.USD.M5V", "US.100>CA.any.USD"), (900,))
    assert learned.tell("acc_1", elsewhere, NOW + 60, 500).rates == ()


def test_a_service_that_is_usual_but_not_known_well_enough_makes_the_answer_incomplete() -> None:
    learned = taught(*SEEN)
    odd = KeptRate(account="ca_1", carrier="USPS", service="Express", minor=4000, currency="USD")
    for number in range(3):
        learned.learn("acc_1", asked(7000 + number), answer(1400, odd), NOW + 30 + number)
    told = learned.tell("acc_1", asked(900), NOW + 60, 50)
    assert [rate.service for rate in told.rates] == ["Ground"]
    assert not told.whole


def test_several_parcels_have_a_price_only_if_each_has_one() -> None:
    learned = taught(*SEEN)
    for number, grams in enumerate((900, 1400, 900, 1400)):
        pair = answer(2 * by_weight(grams))
        learned.learn("acc_1", asked(grams, grams), pair, NOW + 20 + number)
    (rate,) = learned.tell("acc_1", asked(900, 900), NOW + 60, 50).rates
    assert rate.minor == 2 * by_weight(900)
    assert learned.tell("acc_1", asked(900, 9000), NOW + 60, 500).rates == ()


def test_when_the_carrier_changes_a_price_the_old_one_is_not_told_again() -> None:
    learned = taught(*SEEN)
    (test,) = learned.learn("acc_1", asked(900), answer(990), NOW + 100)
    assert test.changed
    assert test.error_permille == pytest.approx(abs(990 - by_weight(900)) / 990 * 1000)
    assert learned.tell("acc_1", asked(400), NOW + 101, 500).rates == ()


def test_a_change_on_two_lanes_is_a_new_price_list_everywhere() -> None:
    learned = taught(*SEEN)
    for lane in ("606", "331", "752"):
        for number, grams in enumerate(SEEN):
            learned.learn("acc_1", asked(grams, lane=lane), answer(by_weight(grams)), NOW + 50 + number)
    learned.learn("acc_1", asked(900), answer(990), NOW + 100)
    assert learned.tell("acc_1", asked(900, lane="752"), NOW + 101, 50).rates
    learned.learn("acc_1", asked(900, lane="606"), answer(990), NOW + 110)
    assert learned.tell("acc_1", asked(900, lane="752"), NOW + 111, 500).rates == ()


def test_old_prices_are_believed_less_and_in_the_end_not_at_all() -> None:
    learned = taught(*SEEN)
    fresh = learned.tell("acc_1", asked(900), NOW + 60, 500).rates[0]
    older = learned.tell("acc_1", asked(900), NOW + 10 * DAY, 500).rates[0]
    assert older.bound_permille > fresh.bound_permille
    assert learned.tell("acc_1", asked(900), NOW + LIFE_S + DAY, 500).rates == ()


def test_what_stood_in_teaches_nothing() -> None:
    learned = LearnedPrices()
    stand_in = answer(700).rates[0].but(stand_in="learned")
    held = AccountAnswer(account_id="acc_1", carrier="easypost", state="answered", rates=(stand_in,))
    assert learned.learn("acc_1", asked(900), held, NOW) == []
    assert learned.bytes == 0


def test_an_answer_with_a_gap_does_not_say_what_is_usual() -> None:
    learned = LearnedPrices()
    for number in range(6):
        learned.learn("acc_1", asked(900), answer(700, gap=True), NOW + number)
    assert learned.tell("acc_1", asked(900), NOW + 60, 500).rates == ()


def test_memory_is_bounded_and_the_lanes_used_longest_ago_go() -> None:
    learned = LearnedPrices(most_bytes=20_000)
    for lane in range(200):
        for number in range(3):
            learned.learn("acc_1", asked(900, lane=f"{lane:03}"), answer(700), NOW + number)
    assert learned.bytes <= 20_000


prices = st.dictionaries(st.integers(1, 30_000), st.integers(1, 100_000), min_size=1, max_size=12)


@given(prices, st.integers(1, 40_000))
def test_an_estimate_lies_between_its_neighbours_and_within_its_bound_of_both(seen: dict[int, int], grams: int) -> None:
    samples = Samples()
    for weight, minor in seen.items():
        samples.see(weight, Sample(NOW, minor))
    found = samples.estimate(grams, NOW)
    below, above = [w for w in seen if w <= grams], [w for w in seen if w >= grams]
    if not below or not above:
        assert found is None
        return
    assert found is not None
    ends = seen[max(below)], seen[min(above)]
    assert min(ends) <= found.minor <= max(ends)
    assert all(abs(end - found.minor) * 1000 / found.minor <= found.bound_permille + 1e-6 for end in ends)


@given(st.lists(st.integers(50, 20_000), min_size=5, max_size=60), st.integers(50, 20_000))
def test_for_a_price_that_grows_with_weight_what_is_told_keeps_its_bound(weights: list[int], grams: int) -> None:
    (*_, rate) = taught(*weights).tell("acc_1", asked(grams), NOW + 60, 1000).rates or (None,)
    if rate is not None:
        assert abs(rate.minor - by_weight(grams)) * 1000 / rate.minor <= rate.bound_permille


@pytest.mark.parametrize(
    ("size", "grams"),
    [(None, 500), (Size(100, 100, 100), 500), (Size(300, 300, 300), 5400), (Size(301, 300, 300), 5418)],
)
def test_a_parcel_counts_as_its_weight_or_as_its_room(size: Size | None, grams: int) -> None:
    assert billable(Parcel(Weight(500), size)) == grams


def request(**changes: object) -> RateRequest:
    fields = {"parcels": (Parcel(Weight(500)),), "currency": "USD"} | changes
    return RateRequest(Address("US", "10001"), Address("US", "94104-1234", street1="1 Secret Street"), **fields)  # type: ignore[arg-type]


def test_a_lane_names_regions_and_no_person() -> None:
    found = asked_of(request())
    assert found == Asked(LANE, (500,))


@pytest.mark.parametrize(
    "changes", [{"parcels": ()}, {"is_return": True}, {"signature": "adult"}, {"parcels": (Parcel(Weight(1)),) * 21}]
)
def test_what_is_not_an_ordinary_parcel_is_not_learned_from(changes: dict[str, object]) -> None:
    assert asked_of(request(**changes)) is None
