"""The desk's page on free shipping: set, changed, refused, published to the store, and what paid orders show."""

from __future__ import annotations

import pytest

from tests.http.desk.counter import Counter

pytestmark = pytest.mark.anyio

FORM = {
    "do": "put",
    "name": "From 50",
    "amount": "50.00",
    "frees": "standard",
    "faster": "pays_difference",
    "tiers": "100.00=express, 30.00=standard=2.90",
    "where": "AT, GR:84*",
    "not_tags": "bulky",
    "not_hazmat": "yes",
}


async def test_a_threshold_is_set_shown_changed_and_taken_out(counter: Counter) -> None:
    anna = counter.desk.add_user("anna@example.com", "owner")
    here = f"{counter.desk.base}/thresholds"
    async with counter.desk.signed_in(anna) as browser:
        await browser.open(here)
        version = str(counter.shop.quoting.settings_version)
        page = await browser.follow(await browser.send({**FORM, "version": version}))
        for part in ("From 50", "50.00", "100.00", "express", "2.90", "GR:84*", "bulky", "dangerous goods"):
            assert part in page.text, part
        shop = await counter.fresh()
        (kept,) = shop.settings.rules.thresholds
        assert [str(tier.amount) for tier in kept.all_tiers] == ["30.00", "50.00", "100.00"]
        stale = await browser.send({**FORM, "version": version})
        assert stale.status_code == 422
        await browser.open(f"{here}?edit=From%2050")
        changed = {**FORM, "amount": "60.00", "version": str(shop.quoting.settings_version)}
        await browser.follow(await browser.send(changed))
        assert str((await counter.fresh()).settings.rules.thresholds[0].amount) == "60.00"
        await browser.open(here)
        await browser.follow(await browser.send({"do": "remove", "name": "From 50"}))
        assert (await counter.fresh()).settings.rules.thresholds == ()


async def test_a_threshold_is_kept_in_the_draft_and_published_with_the_rules(counter: Counter) -> None:
    anna = counter.desk.add_user("anna@example.com", "owner")
    async with counter.desk.signed_in(anna) as browser:
        await browser.open(f"{counter.desk.base}/thresholds")
        version = str(counter.shop.quoting.settings_version)
        page = await browser.follow(await browser.send({**FORM, "version": version, "to": "draft"}))
        assert page.url.path.endswith("/rules")
        assert (await counter.fresh()).settings.rules.thresholds == ()
        await browser.follow(await browser.send({"do": "publish"}))
        (kept,) = (await counter.fresh()).settings.rules.thresholds
        assert kept.name == "From 50"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"amount": "lots"}, "amount"), ({"where": "Slovakia"}, "no place"), ({"name": ""}, "name")],
)
async def test_what_does_not_validate_is_refused_by_name_and_nothing_changes(
    counter: Counter, wrong: dict[str, str], says: str
) -> None:
    anna = counter.desk.add_user("anna@example.com", "owner")
    async with counter.desk.signed_in(anna) as browser:
        await browser.open(f"{counter.desk.base}/thresholds")
        before = counter.shop.quoting.settings_version
        answer = await browser.send({**FORM, "version": str(before), **wrong})
        assert answer.status_code == 422
        assert says in answer.text
        assert (await counter.fresh()).quoting.settings_version == before


async def test_a_threshold_is_published_to_the_store_and_taken_back(counter: Counter) -> None:
    """It is the store's own discount then, and Waybill leaves prices alone."""
    anna = counter.desk.add_user("anna@example.com", "owner")
    here = f"{counter.desk.base}/thresholds"
    plain = {"do": "put", "name": "From 50", "amount": "50.00", "frees": "standard", "faster": "pays_difference"}
    async with counter.desk.signed_in(anna) as browser:
        await browser.open(here)
        await browser.follow(await browser.send({**plain, "version": str(counter.shop.quoting.settings_version)}))
        refused = await browser.send({"do": "publish", "name": "From 50", "up_to": ""})
        assert refused.status_code == 422
        assert "services" in refused.text
        await counter.fresh()
        await browser.open(here)
        page = await browser.follow(await browser.send({"do": "publish", "name": "From 50", "up_to": "9.90"}))
        assert "left to the store" in page.text
        shop = await counter.fresh()
        assert shop.settings.rules.thresholds[0].by_store
        assert shop.store.discounts is not None
        assert await shop.store.discounts.find("From 50") is not None
        await browser.open(here)
        assert (await browser.send({"do": "remove", "name": "From 50"})).status_code == 422
        await browser.open(here)
        await browser.follow(await browser.send({"do": "unpublish", "name": "From 50"}))
        shop = await counter.fresh()
        assert not shop.settings.rules.thresholds[0].by_store
        assert shop.store.discounts is not None
        assert await shop.store.discounts.find("From 50") is None


async def test_the_report_can_be_taken_as_csv(counter: Counter) -> None:
    anna = counter.desk.add_user("anna@example.com", "owner")
    async with counter.desk.signed_in(anna) as browser:
        table = await browser.client.get(f"{counter.desk.base}/thresholds?format=csv")
        assert table.headers["content-type"].startswith("text/csv")
        assert "order,placed_at,kind" in table.text
