"""Every page of an owner: pictured, without serious faults, worked by keyboard alone, whole without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import cast

import httpx2
import pytest
from playwright.sync_api import Browser

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.attention.board import HOUSE, need_person, open_matters, settled
from connector.storage import settings_versions
from connector.storage.logins.people import User
from connector.store import Cart, CartLine, CartTotals
from connector.stores.sandbox.connection import SandboxStore
from connector.words.reason import Reason
from tests.browser import rig
from tests.browser.rig import Site, Visitor
from tests.cli.worlds import make_shop

PAGES = {
    "dates": "/dates",
    "home": "",
    "setup": "/setup",
    "carriers": "/carriers",
    "carrier-add": "/carriers/add/easypost",
    "rules": "/rules",
    "rules-one": "/rules/one?when=subtotal_at_least&then=percent_change",
    "rules-history": "/rules/history",
    "settings": "/settings",
    "settings-history": "/settings/history",
    "people": "/people",
    "history": "/history",
}
NASTY = '<script>document.title="caught"</script> & "Sons"'


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A house of these tests alone: they fill it with questions, matters and versions."""
    steady = make_shop(tmp_path_factory.mktemp("pages")).folder
    with rig.site(steady, tmp_path_factory.mktemp("pages-site")) as served:
        yield served


@pytest.fixture(scope="module")
def owner(site: Site) -> User:
    return site.world.add_user("anna@example.com", "owner")


@pytest.fixture(scope="module")
def packer(site: Site) -> User:
    return site.world.add_user("paul@example.com", "packer", site.world.shop_id, "Paul")


def cart(quantity: int) -> Cart:
    """So many tea pots for Vienna."""
    line = CartLine(quantity, Money(2450, "EUR"), Weight(980), "POT-1", "Tea pot", "pot-1")
    total = Money(2450 * quantity, "EUR")
    place = Address("AT", "1010", "", "Wien")
    return Cart(
        (line,), "EUR", destination=place, totals=CartTotals(total, Money.zero("EUR"), total), location_id="loc_1"
    )


@pytest.fixture(scope="module")
def busy(site: Site) -> Iterator[None]:
    """A shop in which something has happened: prices were asked for, and some things wait for a person."""
    house, shop = site.house, site.house.directory.shops()[0]
    keeper = cast("SandboxStore", shop.store).shopkeeper
    for quantity in (1, 2, 3):
        call = keeper.rate_call(cart(quantity))
        url = f"{site.url}/rates/{shop.id}/{shop.rates_token}"
        assert httpx2.post(url, content=call.body, headers=dict(call.headers)).status_code == 200
    site.in_loop(house.ledger.flush)
    now = house.clock.now()
    for subject, why, hours in (
        ("par_1", Reason("risk_flagged"), 30),
        ("lab_1", Reason("void_refused", {"label": "1Z0001", "carrier": "Sandbox", "said": NASTY}), 5),
        ("ord_1", Reason("cannot_plan", {"why": f"{NASTY} {'very long ' * 20}"}), 1),
    ):
        house.here(need_person, shop.id, subject, why, now - timedelta(hours=hours))
    house.here(need_person, HOUSE, "data", Reason("disk_full", {"folder": "data", "free": "1 GB"}), now)
    yield
    for matter in house.here(open_matters, shop.id):
        house.here(settled, shop.id, matter.subject, now)
    house.here(settled, HOUSE, "data", now)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_looked_at_by_everybody(visitor: Visitor, packer: User, busy: None, name: str) -> None:
    page = visitor.open(PAGES[name])
    if name == "setup":
        page.click("text=Check now")
        page.wait_for_selector("text=Checked on")
    visitor.looked_at(name)
    assert page.title() != "caught"


def test_settings_are_changed_by_keyboard_alone(visitor: Visitor, site: Site) -> None:
    page = visitor.open("/settings")
    stops = visitor.stops()
    assert stops[0] == "a:Skip to the content"
    assert [
        key for key in ("mode", "threshold", "safety_rates", "packing_effort") if not any(key in at for at in stops)
    ] == []
    assert stops[-1] == "button:Save", "the last stop of the page"
    page.focus("input[name=markup_percent]")
    page.keyboard.type("plenty")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert page.input_value("input[name=markup_percent]") == "plenty"
    assert page.get_attribute("input[name=markup_percent]", "aria-invalid") == "true"
    visitor.looked_at("settings-refused")
    page.focus("input[name=markup_percent]")
    page.keyboard.press("Control+A")
    page.keyboard.type("12.5")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Saved as a new version")
    latest = site.house.here(settings_versions.latest, site.world.shop_id)
    assert latest is not None
    visitor.open("/settings/history")
    visitor.looked_at("settings-history-changed")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_two_quick_clicks_and_the_back_button_act_once(
    browser: Browser, site: Site, owner: User, scripts: bool
) -> None:
    def versions() -> int:
        return len(site.house.here(settings_versions.history, site.world.shop_id))

    with rig.visitor(browser, site, owner, scripts=scripts) as person:
        page = person.open("/settings")
        before = versions()
        page.fill("input[name=markup_fixed]", "1.25" if scripts else "2.25")
        page.dblclick("text=Save")
        while "done=settings.s" not in page.url:  # Two clicks are two navigations, and the first one is broken off.
            page.wait_for_timeout(50)
        page.wait_for_load_state()
        assert versions() == before + 1
        page.go_back()
        page.wait_for_url("**/settings")
        page.click("text=Save")
        page.wait_for_load_state()
        assert versions() == before + 1


def test_an_invitation_is_made_and_its_link_shown(visitor: Visitor) -> None:
    page = visitor.open("/people")
    page.fill("input[name=email]", "ria@example.com")
    page.click("text=Make a link")
    page.wait_for_selector("pre")
    assert "/welcome/" in page.inner_text("pre")
    visitor.looked_at("people-link")


def test_a_packer_sees_no_way_to_keys_and_money(browser: Browser, site: Site, packer: User, busy: None) -> None:
    with rig.visitor(browser, site, packer) as person:
        page = person.open()
        places = page.eval_on_selector_all(".places a", "all => all.map(each => each.textContent)")
        assert not {"Carriers", "Settings", "People", "Set-up"} & set(places)
        person.looked_at("home-packer")
        person.open("/settings")
        assert page.inner_text("h1") == "This is for owners"


def test_no_page_asks_a_third_party(browser: Browser, site: Site, owner: User) -> None:
    with rig.visitor(browser, site, owner) as person:
        asked: list[str] = []
        wrong: list[str] = []
        person.page.on("request", lambda request: asked.append(request.url))
        person.page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        for path in PAGES.values():
            person.open(path)
        assert [url for url in asked if not url.startswith(site.url)] == []
        assert wrong == [], "the policy blocks nothing that a page wants"
