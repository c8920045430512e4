"""`waybill settings`: shows each key with its form, default and reason; changes all or nothing."""

from __future__ import annotations

import pytest

from connector.shop_settings import KEYS
from tests.cli.worlds import DOMAIN, Shop


def _values(shop: Shop) -> dict[str, str]:
    return {row["key"]: row["value"] for row in shop.shell.json("settings", DOMAIN)["settings"]}


def test_every_setting_is_shown_with_form_default_and_reason(steady_shop: Shop) -> None:
    rows = steady_shop.shell.json("settings", DOMAIN)["settings"]
    assert tuple(row["key"] for row in rows) == KEYS
    assert all(row["form"] and row["reason"] for row in rows)
    assert all(row["value"] == row["default"] for row in rows)


def test_a_change_makes_a_version_and_can_be_taken_back(shop: Shop) -> None:
    before = shop.shell.json("settings", DOMAIN)["version"]
    changed = shop.shell.json("settings", DOMAIN, "threshold=50.00", "markup_percent=-5", "buy=manual")
    assert changed["version"] == before + 1
    assert {**_values(shop), "threshold": "50.00", "markup_percent": "-5", "buy": "manual"} == _values(shop)
    shop.shell.json("settings", DOMAIN, "threshold=", "markup_percent=", "buy=")
    rows = shop.shell.json("settings", DOMAIN)["settings"]
    assert all(row["value"] == row["default"] for row in rows)


def test_defaults_of_buying_follow_the_mode(shop: Shop) -> None:
    rows = {row["key"]: row for row in shop.shell.json("settings", DOMAIN, "mode=live")["settings"]}
    assert (rows["buy"]["value"], rows["buy_after"]["value"]) == ("manual", "30")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ("colour=red", "colour"),
        ("threshold", "threshold"),
        ("threshold=abc", "threshold"),
        ("threshold=1.234", "threshold"),
        ("markup_percent=NaN", "markup_percent"),
        ("mode=prod", "mode"),
        ("buy_after=soon", "buy_after"),
        ("buy_after=-1", "buy_after"),
        ("default_carton=300x200", "default_carton"),
        ("default_carton=300x200x0", "default_carton"),
        ("default_item_weight_g=0", "default_item_weight_g"),
        ("default_location=loc_of_another", "default_location"),
        ("backup=safety", "safety_rates"),
        ("safety_rates=Post:post", "safety_rates"),
        ("hmac=no", "hmac"),
        ("soft_deadline_ms=9001", "soft_deadline_ms"),
        ("hard_deadline_ms=200", "soft_deadline_ms"),
        ("fulfil_when=never", "fulfil_when"),
        ("store_notifies=maybe", "store_notifies"),
    ],
)
def test_a_wrong_key_or_value_is_named_and_changes_nothing(steady_shop: Shop, change: str, key: str) -> None:
    before = steady_shop.shell.json("settings", DOMAIN)
    assert key in steady_shop.shell.refused("settings", DOMAIN, "markup_fixed=1.50", change)
    assert steady_shop.shell.json("settings", DOMAIN) == before


def test_a_key_that_is_set_twice_is_refused(steady_shop: Shop) -> None:
    assert steady_shop.shell.refused("settings", DOMAIN, "hmac=off", "hmac=require") == "hmac is set twice."


def test_a_live_shop_refuses_a_clock_that_was_moved(steady_shop: Shop) -> None:
    assert "WAYBILL_TEST_CLOCK" in steady_shop.shell.refused("settings", DOMAIN, "mode=live", test_clock="3600:1")
    assert _values(steady_shop)["mode"] == "test"
