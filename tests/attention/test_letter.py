"""What an alert says: the cause, the cure, where and since when, in words; no line that could end a header."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connector.attention.alerts import Item
from connector.attention.letter import Place, write
from connector.words.reason import Reason

AT = datetime(2026, 11, 23, 9, 4, tzinfo=UTC)
SHOP = Place("Tea & Co", "tea.example", "Europe/Bratislava")
PLACES = {"shop_1": SHOP}
WALLET = Item(
    "att_1",
    "open",
    "shop_1",
    "acc_1",
    Reason("wallet_empty", {"carrier": "EasyPost", "said": "There is not enough money in the account."}),
    AT,
)
URL = "https://ship.example.com"


def test_an_alert_names_the_cause_the_cure_the_shop_and_since_when() -> None:
    letter = write([WALLET], PLACES, URL)
    assert letter.subject == "[Waybill] Tea & Co: EasyPost sells no labels: the account has not enough money"
    assert letter.text == (
        "EasyPost sells no labels: the account has not enough money. There is not enough money in the account.\n"
        "\n"
        "What to do: Pay into your account at the carrier. Waybill tries again by itself, and buys what waits.\n"
        "\n"
        "Shop: Tea & Co (tea.example)\n"
        "Since: 2026-11-23 10:04 (Europe/Bratislava)\n"
        "\n"
        "All that needs a person: https://ship.example.com/desk\n"
        "On the server: waybill attention tea.example\n"
        "You hear of this once, and again when it is over.\n"
    )


def test_a_resolved_one_says_how_long_it_lasted() -> None:
    over = replace(WALLET, kind="over", resolved_at=AT + timedelta(hours=25, minutes=5))
    letter = write([over], PLACES, URL)
    assert letter.subject.startswith("[Waybill] Tea & Co: Over: EasyPost sells no labels")
    assert "It lasted 1 d 1 h 5 min." in letter.text
    assert "What to do" not in letter.text
    assert "hear of this once" not in letter.text


def test_many_causes_are_listed_with_their_cures_and_how_often_they_came() -> None:
    failed = [
        Item(f"att_{n}", "open", "", f"fail_{n}", Reason("work_failed", {"job": "labels.buy", "error": "Broken"}), AT)
        for n in range(7)
    ]
    letter = write([WALLET, *failed], PLACES, URL)
    assert letter.subject == "[Waybill] 8 matters need a person"
    assert letter.text.count("What to do: ") == 2
    assert "7 times in all." in letter.text


def test_single_orders_are_not_promised_a_second_message() -> None:
    text = write([replace(WALLET, reason=Reason("risk_flagged"))], PLACES, URL).text
    assert "You hear of each of these once" in text
    assert "again when it is over" not in text


def test_an_outage_is_told_with_the_orders_that_were_made_up_for() -> None:
    params: dict[str, str | int] = {"start": "2026-11-23 08:00 UTC", "end": "2026-11-23 09:00 UTC", "orders": 12}
    item = Item("att_2", "over", "", "x", Reason("was_down", params), AT, AT + timedelta(minutes=3))
    text = write([item], {}, URL).text
    assert "all read now: 12" in text
    assert "It lasted" not in text


def test_a_shops_name_cannot_break_a_header_nor_fill_a_screen() -> None:
    places = {"shop_1": Place("Tea\r\nBcc: all@example.com " + "x" * 300, "tea.example")}
    subject = write([WALLET], places, URL).subject
    assert "\n" not in subject
    assert "\r" not in subject
    assert len(subject) <= 120


def test_a_time_zone_that_nobody_knows_is_utc() -> None:
    places = {"shop_1": replace(SHOP, timezone="Mars/Olympus")}
    assert "09:04 (UTC)" in write([WALLET], places, URL).text
