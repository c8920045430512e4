"""Dates of a call: each option its own, express only if it is sooner, back-orders never today, six languages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connector.catalogue.product import Place as Stock
from connector.catalogue.product import Product
from connector.quotes.decide import decide
from connector.quotes.decision import DecidedOffer, Decision
from connector.quotes.reduced import ReducedLine
from connector.words.arrival import arrival_text
from tests.quotes.world import NOW, answered, cart, facts, line, rate, settings


def asked(*lines: ReducedLine, now: datetime = NOW, using: dict[str, Any] | None = None, **chosen: str) -> Decision:
    answers = (answered(rate(700), rate(1500, "Express")),)
    return decide(cart(*lines), facts(settings(**chosen), **using or {}), answers, now)


def offers(decision: Decision) -> dict[str, DecidedOffer]:
    return {each.code: each for each in decision.offers}


@pytest.mark.complaint(35)
def test_each_option_has_its_own_window() -> None:
    found = offers(asked())
    assert found["fake-express"].latest == datetime.fromisoformat("2026-11-25T12:00:00+01:00")
    assert found["fake-ground"].latest == datetime.fromisoformat("2026-11-27T12:00:00+01:00")
    assert found["fake-express"].ships_on == date(2026, 11, 24)
    assert "arrive" in found["fake-ground"].description.lower()
    assert "2026" not in found["fake-ground"].name


@pytest.mark.need(6)
def test_express_that_is_no_sooner_is_hidden_with_the_reason_unless_the_merchant_shows_it() -> None:
    """Both leave on Monday and travel one working day: the dearer one is not worth its price."""
    answers = (answered(rate(700, transit_days=1), rate(1500, "Express")),)
    hidden = decide(cart(), facts(), answers, NOW)
    assert list(offers(hidden)) == ["fake-ground"]
    (withheld,) = hidden.withheld
    assert (withheld.service, withheld.reason.code) == ("Express", "not_sooner")
    assert "Fake Ground" in withheld.reason.say()
    shown = decide(cart(), facts(settings(hide_not_sooner="no")), answers, NOW)
    assert list(offers(shown)) == ["fake-ground", "fake-express"]


def test_two_ordinary_services_of_one_day_leave_the_buyer_the_choice() -> None:
    answers = (answered(rate(700), rate(900, "Parcel", "Other")),)
    assert len(decide(cart(), facts(), answers, NOW).offers) == 2


def test_cut_off_handling_and_the_platform_s_cache_move_the_window() -> None:
    def ships(minute: int = 0, cache_s: int = 0, **chosen: str) -> date | None:
        now = NOW.replace(hour=12, minute=minute)  # 13:00 in Bratislava.
        return offers(asked(now=now, using={"rate_cache_s": cache_s}, **chosen))["fake-ground"].ships_on

    assert ships(cut_off="14:00") == date(2026, 11, 23)
    assert ships(50, cut_off="14:00") == date(2026, 11, 23)
    assert ships(50, cache_s=900, cut_off="14:00") == date(2026, 11, 24)
    assert ships(cut_off="14:00", handling_days="2") == date(2026, 11, 25)


def test_the_answer_holds_until_the_cut_off() -> None:
    found = asked(using={"rate_cache_s": 900}, cut_off="14:00")
    assert found.valid_until == datetime(2026, 11, 23, 12, 45, tzinfo=UTC)


def test_the_slowest_line_s_handling_counts() -> None:
    slow = line(variant_id="var_2", product=Product(handling_days=4))
    digital = line(variant_id="var_3", requires_shipping=False, product=Product(handling_days=30))
    assert offers(asked(line(), slow, digital))["fake-ground"].ships_on == date(2026, 11, 30)


@pytest.mark.need(12)
def test_what_is_out_of_stock_never_leaves_today() -> None:
    def product(**values: Any) -> Product:
        return Product(**values).for_quote()

    using = {"store_location": "loc_store"}
    here, gone = {"loc_store": Stock(stock=3)}, {"loc_store": Stock(stock=0), "loc_other": Stock(stock=5)}
    comes = date(2026, 12, 10)
    for known, ships in (
        (product(places=here, available_on=comes), date(2026, 11, 24)),
        (product(places=gone, available_on=comes), comes),
        (product(available_on=comes), comes),
        (product(places={"loc_other": Stock(stock=0)}, available_on=comes), comes),
    ):
        assert offers(asked(line(product=known), using=using))["fake-ground"].ships_on == ships
    unknown = asked(line(product=product(places=gone)), using=using)
    assert all(each.latest is None for each in unknown.offers)
    assert "back_order_without_date" in [each.code for each in unknown.notes]


def test_a_calendar_that_is_not_known_is_said() -> None:
    from connector.quotes.reduced import Place

    answers = (answered(rate(700)),)
    found = decide(cart(destination=Place(country="XX", city="Nowhere")), facts(), answers, NOW)
    assert [each.code for each in found.notes if each.code == "calendar_unknown"] == ["calendar_unknown"]


@pytest.mark.parametrize("language", ["en", "sk", "pl", "el", "hy", "ar"])
def test_a_window_and_its_share_are_said_in_every_language(language: str) -> None:
    said = arrival_text(date(2026, 11, 24), date(2026, 11, 26), 931, language)
    for part in ("24", "26", "9", "10"):
        assert part in said
    one = arrival_text(date(2026, 11, 24), date(2026, 11, 24), None, language)
    assert len(one) < len(said)
    assert one != arrival_text(date(2026, 11, 25), date(2026, 11, 25), None, language)


@pytest.mark.parametrize(
    ("coverage", "said"), [(999, "99 of 100"), (989, "19 of 20"), (900, "9 of 10"), (899, "8 of 10")]
)
def test_a_share_is_never_said_to_be_more_than_it_is(coverage: int, said: str) -> None:
    assert said in arrival_text(date(2026, 11, 24), date(2026, 11, 24), coverage)
