"""The desk's frame: who may come in, what a form proves, and what is sent twice."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from connector.http.desk import guard
from connector.http.desk.fields import FORM_BYTES
from connector.http.desk.guard import Cookie
from connector.http.desk.replies import safe_path
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.storage.logins import links, people, sessions
from connector.storage.logins.people import User
from connector.storage.logins.tables import sessions as session_rows
from connector.storage.shops import add_shop
from tests.http.desk.world import HOST, PASSWORD, Browser, DeskWorld

pytestmark = pytest.mark.anyio

BY_TEST = Actor("system", "test")


async def log_in(browser: Browser, email: str, password: str = PASSWORD, to: str = "/desk") -> int:
    """Try to log in; the answer's status."""
    await browser.open(f"/login?to={to}")
    answer = await browser.send({"email": email, "password": password, "to": to}, "/login", token="")
    browser.page = answer
    return answer.status_code


def make_second_shop(desk: DeskWorld) -> str:
    house = desk.house
    return house.here(
        add_shop,
        house.keyring,
        platform="sandbox",
        domain="other.example",
        name="Other",
        currency="EUR",
        timezone="Europe/Vienna",
        credentials=house.directory.shops()[0].record.credentials,
        actor=BY_TEST,
        now=house.clock.now(),
    ).id


# --- coming in ----------------------------------------------------------------------------------------------------


async def test_a_stranger_is_led_to_the_login_and_back(desk: DeskWorld, owner: User) -> None:
    async with desk.stranger() as browser:
        page = await browser.open(f"{desk.base}/history?subject=par_1")
        assert page.url.path == "/login"
        to = f"{desk.base}/history?subject=par_1"
        assert await log_in(browser, owner.email, to=to) == 303
        assert browser.page.headers["location"] == to


async def test_an_owner_sees_the_home_of_the_only_shop(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        page = await browser.open("/desk")
        assert page.url.path == desk.base


async def test_a_login_leads_nowhere_but_into_the_desk() -> None:
    for bad in (
        "https://evil.example/desk",
        "//evil.example",
        "/desk\\evil",
        "javascript:alert(1)",
        "/login",
        "/desk\n",
    ):
        assert safe_path(bad) == "/desk", bad
    assert safe_path("/desk/shop_1/orders?q=1") == "/desk/shop_1/orders?q=1"


async def test_an_unknown_person_and_a_wrong_password_get_the_same_answer(desk: DeskWorld, owner: User) -> None:
    async with desk.stranger() as browser:
        assert await log_in(browser, "anna@example.com", "a wrong password") == 422
        wrong = browser.page.text.replace("anna@example.com", "X")
        assert await log_in(browser, "nobody@example.com", "a wrong password") == 422
        assert browser.page.text.replace("nobody@example.com", "X") == wrong
        assert "set-cookie" not in browser.page.headers


async def test_who_guesses_is_told_to_wait_and_the_owner_elsewhere_is_not(desk: DeskWorld, owner: User) -> None:
    async with desk.stranger(client=("203.0.113.7", 1)) as browser:
        statuses = [await log_in(browser, owner.email, f"wrong password {n}") for n in range(6)]
        assert statuses == [422] * 5 + [429]
        assert await log_in(browser, owner.email) == 429, "even with the right password"
    async with desk.stranger(client=("203.0.113.8", 1)) as browser:
        assert await log_in(browser, owner.email) == 303


async def test_a_login_begins_a_new_session_whatever_cookie_was_planted(desk: DeskWorld, owner: User) -> None:
    async with desk.stranger() as browser:
        browser.client.cookies.set("waybill", "planted-by-somebody")
        assert await log_in(browser, owner.email) == 303
        cookie = browser.page.headers["set-cookie"]
        assert "planted" not in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
    async with desk.stranger() as other:
        other.client.cookies.set("waybill", "planted-by-somebody")
        assert (await other.open(desk.base)).url.path == "/login"


async def test_a_login_ends_the_session_that_the_browser_had(desk: DeskWorld, owner: User, packer: User) -> None:
    house = desk.house
    old = house.here(sessions.start, packer.id, house.clock.now())
    new = house.here(sessions.start, owner.id, house.clock.now(), old)
    assert house.here(sessions.find, house.keyring, old, house.clock.now()) is None
    found = house.here(sessions.find, house.keyring, new, house.clock.now())
    assert found is not None
    assert found.user.id == owner.id


async def test_leaving_ends_the_session_on_the_server(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        await browser.open(desk.base)
        token = browser.client.cookies["waybill"]
        assert (await browser.send({}, "/logout", token="forged.token")).status_code == 403
        left = await browser.send({}, "/logout")
        assert left.headers["location"] == "/login?done=left"
    async with desk.stranger() as browser:
        browser.client.cookies.set("waybill", token)
        assert (await browser.open(desk.base)).url.path == "/login"


async def test_a_session_ends_by_idleness_and_by_age(desk: DeskWorld, owner: User) -> None:
    house, now = desk.house, desk.house.clock.now()
    token = house.here(sessions.start, owner.id, now)

    def holds(after: timedelta) -> bool:
        return house.here(sessions.find, house.keyring, token, now + after) is not None

    for hours in range(0, 168, 11):
        assert holds(timedelta(hours=hours)), "used every 11 hours"
    assert not holds(timedelta(days=7)), "too old"
    token = house.here(sessions.start, owner.id, now)
    assert not holds(timedelta(hours=12)), "idle"


async def test_no_token_lies_in_the_database(desk: DeskWorld, owner: User) -> None:
    house = desk.house
    token = house.here(sessions.start, owner.id, house.clock.now())
    invitation = house.here(
        links.invite, house.keyring, "eve@example.com", "packer", desk.shop_id, BY_TEST, house.clock.now()
    )
    raw = b"".join(file.read_bytes() for file in house.settings.data_dir.glob("waybill.db*"))
    for secret in (token, invitation, "anna@example.com", "eve@example.com", PASSWORD):
        assert secret.encode() not in raw


async def test_a_link_makes_one_person_and_is_used_up(desk: DeskWorld) -> None:
    house = desk.house
    first = house.here(links.make_first, house.clock.now(), BY_TEST)
    async with desk.stranger() as browser:
        await browser.open(f"/welcome/{first}")
        fields = {"email": "Zoe@Example.com", "name": "Zoe", "password": PASSWORD, "again": PASSWORD}
        short = await browser.send({**fields, "password": "short", "again": "short"}, token="")
        assert (short.status_code, "at least 12" in short.text, "Zoe" in short.text) == (422, True, True)
        unlike = await browser.send({**fields, "again": "another sentence"}, token="")
        assert "not the same" in unlike.text
        assert (await browser.send(fields, token="")).status_code == 303
        assert (await browser.open("/desk")).url.path == desk.base
        await browser.open(f"/welcome/{first}", 410)
    (user,) = house.here(people.list_users, house.keyring)
    assert (user.email, user.name, user.owns_installation) == ("zoe@example.com", "Zoe", True)
    with pytest.raises(people.UserExists):
        house.here(links.make_first, house.clock.now(), BY_TEST)


async def test_a_link_ends(desk: DeskWorld, owner: User) -> None:
    house, now = desk.house, desk.house.clock.now()
    token = house.here(links.make_reset, owner.id, BY_TEST, now)
    assert house.here(links.look, house.keyring, token, now).kind == "reset"
    with pytest.raises(links.LinkUsedUp):
        house.here(links.look, house.keyring, token, now + timedelta(hours=2))
    newer = house.here(links.make_reset, owner.id, BY_TEST, now)
    with pytest.raises(links.LinkUsedUp):
        house.here(links.look, house.keyring, token, now)
    house.here(links.use, house.keyring, newer, email="", name="", password_hash="x", now=now)
    with pytest.raises(links.LinkUsedUp):
        house.here(links.use, house.keyring, newer, email="", name="", password_hash="y", now=now)


async def test_a_new_password_ends_every_session(desk: DeskWorld, owner: User) -> None:
    house, now = desk.house, desk.house.clock.now()
    old = house.here(sessions.start, owner.id, now)
    reset = house.here(links.make_reset, owner.id, BY_TEST, now)
    async with desk.stranger() as browser:
        await browser.open(f"/welcome/{reset}")
        assert (await browser.send({"password": "another calm sentence", "again": "another calm sentence"}, token="")
                ).status_code == 303  # fmt: skip
        assert (await browser.open("/desk")).url.path == desk.base, "in, by the session that the link began"
    assert house.here(sessions.find, house.keyring, old, now) is None
    async with desk.stranger() as browser:
        assert await log_in(browser, owner.email) == 422
        assert await log_in(browser, owner.email, "another calm sentence") == 303


# --- shops and roles ----------------------------------------------------------------------------------------------


async def test_a_shop_of_others_is_not_there_by_any_address(desk: DeskWorld, owner: User, packer: User) -> None:
    other = make_second_shop(desk)
    await desk.house.directory.refresh()
    async with desk.signed_in(packer) as browser:
        unknown = await browser.open("/desk/shop_nobody", 404)
        for path in ("", "/settings", "/carriers", "/history?format=csv"):
            page = await browser.open(f"/desk/{other}{path}", 404)
            assert page.text == unknown.text
        assert (await browser.open("/desk")).url.path == desk.base, "the only shop of theirs"
    async with desk.signed_in(owner) as browser:
        page = await browser.open("/desk?q=oth")
        assert "Other" in page.text
        assert "Sandbox Shop" not in page.text


async def test_a_shops_owner_owns_no_other(desk: DeskWorld, owner: User) -> None:
    other = make_second_shop(desk)
    await desk.house.directory.refresh()
    local = desk.add_user("lena@example.com", "owner", desk.shop_id, "Lena")
    async with desk.signed_in(local) as browser:
        await browser.open(f"{desk.base}/settings")
        await browser.open(f"/desk/{other}/settings", 404)


# --- forms --------------------------------------------------------------------------------------------------------


def versions(desk: DeskWorld) -> int:
    """How many versions of settings there are."""
    return len(desk.house.here(settings_versions.history, desk.shop_id))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
    ids=itertools.count(),
)
async def test_a_form_of_another_site_changes_nothing(desk: DeskWorld, owner: User, headers: dict[str, str]) -> None:
    before = versions(desk)
    async with desk.signed_in(owner) as browser:
        page = await browser.open(f"{desk.base}/settings")
        form = {"_form": browser.token(page.url.path), "version": "1", "markup_percent": "3"}
        answer = await browser.client.post(page.url.path, data=form, headers=headers)
        assert answer.status_code == 403
        assert 'value="3"' in answer.text, "what was typed is kept"
    assert versions(desk) == before


async def test_a_form_without_its_proof_or_with_anothers_changes_nothing(
    desk: DeskWorld, owner: User, packer: User
) -> None:
    before, path = versions(desk), f"{desk.base}/settings"
    foreign = guard.new_form("another session", path)
    async with desk.signed_in(owner) as browser:
        await browser.open(path)
        elsewhere = browser.token("/logout")
        for token in ("", "x", "x.y", foreign, elsewhere):
            answer = await browser.send({"version": "1", "markup_percent": "3"}, token=token)
            assert answer.status_code == 403, token
    assert versions(desk) == before


async def test_two_clicks_act_once_and_lead_to_the_same_page(desk: DeskWorld, owner: User) -> None:
    before = versions(desk)
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/settings")
        fields = {"version": "1", "markup_percent": "4"}
        token = browser.token(f"{desk.base}/settings")
        answers = await asyncio.gather(*(browser.send(fields, token=token) for _ in range(3)))
        assert {each.status_code for each in answers} == {303}
        assert len({each.headers["location"] for each in answers}) == 1
    assert versions(desk) == before + 1


async def test_back_and_another_value_is_asked_again_with_what_was_typed(desk: DeskWorld, owner: User) -> None:
    before = versions(desk)
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/settings")
        token = browser.token(f"{desk.base}/settings")
        await browser.send({"version": "1", "markup_percent": "4"}, token=token)
        again = await browser.send({"version": "1", "markup_percent": "7"}, token=token)
        assert again.status_code == 409
        assert 'value="7"' in again.text
        browser.page = again
        stale = await browser.send({"version": "1", "markup_percent": "7"}, f"{desk.base}/settings")
        assert (stale.status_code, "somebody else" in stale.text) == (422, True)
    assert versions(desk) == before + 1


async def test_a_form_that_was_refused_may_be_sent_again(desk: DeskWorld, owner: User) -> None:
    before = versions(desk)
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/settings")
        token = browser.token(f"{desk.base}/settings")
        refused = await browser.send({"version": "1", "markup_percent": "a lot"}, token=token)
        assert refused.status_code == 422
        taken = await browser.send({"version": "1", "markup_percent": "5"}, token=token)
        assert taken.status_code == 303
    assert versions(desk) == before + 1


async def test_a_session_that_ended_meanwhile_changes_nothing(desk: DeskWorld, owner: User) -> None:
    before = versions(desk)
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/settings")
        desk.house.here(sessions.end_all, owner.id)
        answer = await browser.send({"version": "1", "markup_percent": "4"})
        assert answer.headers["location"] == "/login?done=ended"
    assert versions(desk) == before


async def test_a_body_that_is_too_long_or_no_form_is_refused(desk: DeskWorld, owner: User) -> None:
    before = versions(desk)
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/settings")
        token = browser.token(f"{desk.base}/settings")
        long = await browser.send({"markup_percent": "1" * FORM_BYTES}, token=token)
        assert long.status_code == 413
        many = await browser.send({f"field{n}": "" for n in range(1100)}, token=token)
        assert many.status_code == 400
        path, headers = f"{desk.base}/settings", {"origin": HOST, "sec-fetch-site": "same-origin"}
        for body, kind in ((b"\xff=\xff", "application/x-www-form-urlencoded"), (b"{}", "application/json")):
            raw = await browser.client.post(path, content=body, headers={**headers, "content-type": kind})
            assert raw.status_code == 400
    assert versions(desk) == before


async def test_a_body_that_drips_is_given_up(desk: DeskWorld, owner: User) -> None:
    scope = {
        "type": "http", "method": "POST", "path": "/login", "query_string": b"", "client": ("::1", 1),
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
    }  # fmt: skip
    sent: list[dict[str, object]] = []

    async def drip() -> dict[str, object]:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def note(message: dict[str, object]) -> None:
        sent.append(message)

    await asyncio.wait_for(desk.app(scope, drip, note), 60)
    assert sent[0]["status"] == 408


# --- answers ------------------------------------------------------------------------------------------------------


async def test_every_answer_is_closed_to_frames_scripts_and_caches(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        for path, status in (("/login?x", 200), (desk.base, 200), ("/desk/nothing", 404), ("/welcome/nothing", 410)):
            headers = (await browser.open(path, status)).headers
            policy = headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-frame-options"] == "DENY"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"


async def test_pages_hold_no_inline_script_or_style_and_ask_no_third_party(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        for path in ("", "/setup", "/settings", "/people", "/carriers", "/history"):
            text = (await browser.open(f"{desk.base}{path}")).text
            assert " style=" not in text
            assert "<style" not in text
            assert "onclick" not in text
            assert text.count("<script") == 1
            assert 'src="http' not in text
            assert 'href="http' not in text


async def test_markup_in_names_is_shown_as_text(desk: DeskWorld, owner: User) -> None:
    nasty = "<script>alert(1)</script>\"'&"
    desk.add_user("eve@example.com", "packer", desk.shop_id, nasty)
    async with desk.signed_in(owner) as browser:
        page = await browser.open(f"{desk.base}/people?done=<b>x&n=<b>&link=<b>")
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text
        assert "<b>" not in page.text


async def test_files_of_the_stylesheet_are_served_and_no_others(desk: DeskWorld) -> None:
    async with desk.stranger() as browser:
        css = await browser.open("/desk/static/desk.css")
        assert css.headers["content-type"].startswith("text/css")
        for name in ("..%2Fdoor.py", "door.py", "%2e%2e", "nothing.css", ".css"):
            await browser.open(f"/desk/static/{name}", 404)


async def test_cookies_are_bound_to_this_host_over_https() -> None:
    assert Cookie("http://127.0.0.1:8080").write("t").__repr__().count("Secure") == 0
    name, value = Cookie("https://desk.example.com").write("t")
    assert name == "set-cookie"
    assert value.startswith("__Host-waybill=t; Path=/; ")
    assert "Secure" in value
    assert "Domain" not in value


async def test_what_breaks_inside_is_told_as_a_page_with_its_number_in_the_log(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        path = f"{desk.base}/history?before=1"
        desk.house.here(lambda connection: connection.exec_driver_sql("UPDATE desk_sessions SET seen_at = 'never'"))
        page = await browser.open(path, 500)
        assert page.headers["content-type"].startswith("text/html")
        assert re.search(r"under [0-9a-f]{16}\.", page.text)


async def test_an_address_that_leads_nowhere_is_told_as_a_page(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        for path in ("/desk/a/b/c/d", f"{desk.base}/nothing"):
            assert "There is nothing here" in (await browser.open(path, 404)).text


async def test_an_agency_searches_hundreds_of_shops(desk: DeskWorld, owner: User) -> None:
    house, record = desk.house, desk.house.directory.shops()[0].record

    def add_many(connection: Connection) -> None:
        for number in range(120):
            add_shop(
                connection,
                house.keyring,
                platform="sandbox",
                domain=f"shop-{number}.example",
                name=f"Shop {number:03}",
                currency="EUR",
                timezone="Europe/Vienna",
                credentials=record.credentials,
                actor=BY_TEST,
                now=house.clock.now(),
            )

    house.here(add_many)
    await house.directory.refresh()
    async with desk.signed_in(owner) as browser:
        page = await browser.open("/desk")
        assert page.text.count('href="/desk/shop_') == 50
        assert "71 more" in page.text
        found = await browser.open("/desk?q=SHOP-77.")
        assert found.text.count('href="/desk/shop_') == 1
        assert "change shop" in (await browser.open(desk.base)).text


@pytest.fixture
async def sessions_left(desk: DeskWorld) -> AsyncIterator[None]:
    """Count what is left after a test that removes people."""
    yield
    left = desk.house.here(
        lambda connection: connection.execute(select(func.count()).select_from(session_rows)).scalar()
    )
    assert left == 0


async def test_who_is_removed_is_out_at_once(desk: DeskWorld, owner: User, sessions_left: None) -> None:
    packer = desk.add_user("paul@example.com", "packer", desk.shop_id, "Paul")
    async with desk.signed_in(packer) as browser:
        await browser.open(desk.base)
        desk.house.here(people.remove_user, packer.id, BY_TEST, desk.house.clock.now())
        assert (await browser.open(desk.base)).url.path == "/login"
    with pytest.raises(people.LastOwner):
        desk.house.here(people.remove_user, owner.id, BY_TEST, desk.house.clock.now())
