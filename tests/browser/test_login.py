"""The pages before the desk and its frame, as a person sees them."""

from __future__ import annotations

from playwright.sync_api import Browser

from connector.storage.audit import Actor
from connector.storage.logins import links
from connector.storage.logins.people import User
from tests.browser.rig import Site, Visitor, visitor
from tests.http.desk.world import PASSWORD


def test_a_person_logs_in_by_keyboard_and_leaves(browser: Browser, site: Site, owner: User) -> None:
    with visitor(browser, site) as person:
        page = person.open("/login")
        person.looked_at("login")
        page.focus("input[name=email]")
        page.keyboard.type(owner.email)
        page.keyboard.press("Tab")
        page.keyboard.type("not the password at all")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]")
        assert page.input_value("input[name=email]") == owner.email
        person.looked_at("login-wrong")
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{site.world.base}")
        page.click("text=Log out")
        page.wait_for_url("**/login?done=left")


def test_an_invitation_makes_a_person(browser: Browser, site: Site, owner: User) -> None:
    house = site.house
    token = house.here(
        links.invite,
        house.keyring,
        "new@example.com",
        "packer",
        site.world.shop_id,
        Actor("person", owner.id),
        house.clock.now(),
    )
    with visitor(browser, site) as person:
        page = person.open(f"/welcome/{token}")
        person.looked_at("welcome")
        page.fill("input[name=name]", "Nora")
        page.fill("input[name=password]", "short")
        page.fill("input[name=again]", "short")
        page.click("button.main")
        page.wait_for_selector("[role=alert]")
        assert page.input_value("input[name=name]") == "Nora"
        page.fill("input[name=password]", PASSWORD)
        page.fill("input[name=again]", PASSWORD)
        page.click("button.main")
        page.wait_for_url(f"**{site.world.base}")
        person.open(f"/welcome/{token}")
        assert page.inner_text("h1") == "This link leads nowhere any more"
        person.looked_at("message")


def test_the_home_is_reached_by_keyboard_alone(visitor: Visitor) -> None:
    visitor.open()
    stops = visitor.stops()
    assert stops[0] == "a:Skip to the content"
    assert "a:Home" in stops
