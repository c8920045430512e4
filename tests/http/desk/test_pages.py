"""Every page of the desk, by the two roles: what it shows, what its forms change, and what they refuse."""

from __future__ import annotations

import ast
import csv
import io
import re
import string
from datetime import timedelta
from pathlib import Path

import anyio.to_thread
import pytest

from connector.attention.board import need_person, open_matters
from connector.http.desk.page import Page
from connector.http.desk.routes import PAGES
from connector.http.desk.waiting import A_PERSON_SETTLES
from connector.shop_settings import KEYS
from connector.storage import audit, settings_versions
from connector.storage.logins import people
from connector.storage.logins.people import User
from connector.words.desk_texts import texts
from connector.words.reason import Reason, codes
from connector.words.spreadsheet import csv_bytes
from connector.work.lease import Lease
from tests.http.desk.world import Browser, DeskWorld

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[3] / "connector"
PLAIN = [page for page in PAGES if page.show is not None and page.path.count("{") == 0 and not page.whole]


def rows(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


@pytest.mark.parametrize("page", PLAIN, ids=lambda page: page.path or "home")
async def test_an_owner_may_see_every_page_and_a_packer_only_theirs(
    desk: DeskWorld, owner: User, packer: User, page: Page
) -> None:
    path = f"{desk.base}{page.path}"
    async with desk.signed_in(owner) as browser:
        shown = await browser.open(path)
        assert shown.text.count("<h1>") == 1
    async with desk.signed_in(packer) as browser:
        await browser.open(path, 200 if page.role == "packer" else 403)


@pytest.mark.parametrize("page", [page for page in PAGES if page.role == "owner"], ids=lambda page: page.path)
async def test_a_packer_reaches_no_keys_and_no_money_by_address(desk: DeskWorld, packer: User, page: Page) -> None:
    path = re.sub(r"\{\w+\}", "easypost", f"{desk.base}{page.path}")
    async with desk.signed_in(packer) as browser:
        for method in page.methods:
            answer = await browser.client.request(method, path, headers={"origin": browser.origin})
            assert answer.status_code == 403
            assert "This is for owners" in answer.text


async def test_carriers_settings_and_people_are_for_owners() -> None:
    closed = {page.path.split("/")[1] for page in PAGES if page.role == "owner" and page.path}
    assert closed >= {"setup", "carriers", "settings", "people", "history"}


# --- settings -----------------------------------------------------------------------------------------------------


async def change(browser: Browser, base: str, version: int, **changes: str) -> int:
    await browser.open(f"{base}/settings")
    browser.page = await browser.send({"version": str(version), **changes})
    return browser.page.status_code


async def test_every_setting_stands_in_the_form_with_its_reason(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        page = await browser.open(f"{desk.base}/settings")
        assert [key for key in KEYS if f'name="{key}"' not in page.text] == []
        assert "Without one, shipping is never free by value." in page.text


async def test_only_what_was_changed_is_published_with_who_did_it(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        assert await change(browser, desk.base, 1, threshold="50", buy="on_paid", mode="test") == 303
        latest = desk.house.here(settings_versions.latest, desk.shop_id)
        assert latest is not None
        assert (latest.version, set(latest.body), latest.actor.name) == (2, {"rules"}, owner.id)
        assert await change(browser, desk.base, 2, threshold="50") == 303
        assert browser.page.headers["location"].endswith("done=settings.same")
    (entry,) = desk.house.here(audit.entries, desk.shop_id, subject="settings/2")
    assert (entry.action, entry.actor.name) == ("settings.publish", owner.id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"markup_percent": "lots"}, "markup_percent"),
        ({"soft_deadline_ms": "-1"}, "soft_deadline_ms"),
        ({"default_location": "loc_nowhere"}, "default_location"),
        ({"default_carton": "10 by 10"}, "default_carton"),
        ({"backup": "safety"}, ""),
    ],
)
async def test_a_setting_that_cannot_be_is_named_and_what_was_typed_is_kept(
    desk: DeskWorld, owner: User, changes: dict[str, str], field: str
) -> None:
    async with desk.signed_in(owner) as browser:
        assert await change(browser, desk.base, 1, threshold="77", **changes) == 422
        text = browser.page.text
        assert 'role="alert"' in text
        assert 'value="77"' in text
        if field:
            assert f'id="e-{field}"' in text
            assert f'value="{changes[field]}"' in text
    assert len(desk.house.here(settings_versions.history, desk.shop_id)) == 1


async def test_two_people_who_save_at_once_do_not_overwrite_each_other(desk: DeskWorld, owner: User) -> None:
    other = desk.add_user("lena@example.com", "owner", desk.shop_id, "Lena")
    async with desk.signed_in(owner) as first, desk.signed_in(other) as second:
        await second.open(f"{desk.base}/settings")
        assert await change(first, desk.base, 1, markup_percent="3") == 303
        late = await second.send({"version": "1", "markup_percent": "9", "threshold": "20"})
        assert (late.status_code, 'value="9"' in late.text, 'value="20"' in late.text) == (422, True, True)
    assert len(desk.house.here(settings_versions.history, desk.shop_id)) == 2


async def test_an_earlier_version_comes_back_as_a_new_one(desk: DeskWorld, owner: User) -> None:
    history = f"{desk.base}/settings/history"
    async with desk.signed_in(owner) as browser:
        await change(browser, desk.base, 1, markup_percent="3")
        await change(browser, desk.base, 2, markup_percent="4")
        page = await browser.open(history)
        assert "markup_percent" in page.text
        assert "Anna" in page.text
        done = await browser.send({"do": "restore", "restore": "2", "version": "3"})
        assert "Version 2 holds again" in (await browser.follow(done)).text
        old = desk.house.here(settings_versions.get, desk.shop_id, 2)
        new = desk.house.here(settings_versions.latest, desk.shop_id)
        assert old is not None
        assert new is not None
        assert (new.version, new.body) == (4, old.body)
        browser.page = await browser.open(history)
        stale = await browser.send({"do": "restore", "restore": "1", "version": "3"})
        assert stale.status_code == 422
        for wrong in ("99", "x", ""):
            await browser.open(history)
            assert (await browser.send({"restore": wrong, "version": "4"})).status_code == 422
        table = rows((await browser.open(f"{history}?format=csv")).content)
        assert table[0] == ["version", "at", "by", "setting", "before", "after"]
        assert [row[0] for row in table[1:]][:2] == ["4", "3"]


# --- carriers -----------------------------------------------------------------------------------------------------


async def test_a_carrier_is_connected_and_its_secrets_are_never_shown(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/carriers/add/sandbox")
        page = await browser.follow(await browser.send({}))
        assert page.text.count("Disconnect") >= 2
        (shop,) = desk.house.directory.shops()
        for account in shop.accounts.values():
            assert account.record.hook_token not in page.text
            assert str(account.record.settings["secret"]) not in page.text


async def test_a_key_that_cannot_be_is_named_and_not_shown_again(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/carriers/add/easypost")
        none = await browser.send({})
        assert ('id="e-api_key"' in none.text, none.status_code) == (True, 422)
        browser.page = none
        bad = await browser.send({"api_key": "a key with spaces", "api_base": "nowhere at all"})
        assert bad.status_code == 422
        assert "a key with spaces" not in bad.text
        assert 'value="nowhere at all"' in bad.text
    assert len(next(iter(desk.house.directory.shops())).accounts) == 1


async def test_an_account_is_disconnected_once_and_by_nobody_elsewhere(desk: DeskWorld, owner: User) -> None:
    (account,) = next(iter(desk.house.directory.shops())).accounts
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/carriers/acc_nobody", 404)
        await browser.open(f"{desk.base}/carriers/add/nobody", 404)
        await browser.open(f"{desk.base}/carriers")
        assert (await browser.send({"do": "disconnect", "account": "acc_nobody"})).status_code == 404
        page = await browser.follow(await browser.send({"do": "disconnect", "account": account}))
        assert "No carrier is connected" in page.text
        home = await browser.open(desk.base)
        assert "No carrier is connected" in home.text


async def test_new_credentials_are_for_that_account(desk: DeskWorld, owner: User) -> None:
    (account,) = next(iter(desk.house.directory.shops())).accounts
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/carriers/{account}")
        page = await browser.follow(await browser.send({}))
        assert "The new credentials work" in page.text
    assert list(next(iter(desk.house.directory.shops())).accounts) == [account]


# --- people -------------------------------------------------------------------------------------------------------


async def test_an_invitation_is_a_link_that_only_its_maker_sees(desk: DeskWorld, owner: User) -> None:
    second = desk.add_user("olga@example.com", "owner", "", "Olga")
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/people")
        done = await browser.send({"do": "invite", "email": "New@example.com", "role": "packer"})
        page = await browser.follow(done)
        link = re.search(r"/welcome/[\w-]+", page.text)
        assert link
        assert link[0].rpartition("/")[2] not in done.headers["location"]
    async with desk.signed_in(second) as other:
        assert "/welcome/" not in (await other.open(done.headers["location"])).text
    async with desk.stranger() as fresh:
        assert "new@example.com" in (await fresh.open(link[0])).text


async def test_a_bad_address_is_named_and_kept(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        for wrong, said in (("not an address", "not an e-mail"), (owner.email, "works here already")):
            await browser.open(f"{desk.base}/people")
            answer = await browser.send({"do": "invite", "email": wrong, "role": "packer"})
            assert (answer.status_code, said in answer.text, f'value="{wrong}"' in answer.text) == (422, True, True)
        await browser.open(f"{desk.base}/people")
        assert (await browser.send({"do": "invite", "email": "a@example.com", "role": "king"})).status_code == 422


async def test_roles_change_and_end(desk: DeskWorld, owner: User, packer: User) -> None:
    house = desk.house
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/people")
        assert (await browser.send({"do": "role", "user": packer.id, "role": "owner"})).status_code == 303
        assert house.here(people.get_user, house.keyring, packer.id).roles == {desk.shop_id: "owner"}
        await browser.open(f"{desk.base}/people")
        assert (await browser.send({"do": "role", "user": owner.id, "role": "packer"})).status_code == 404
        await browser.open(f"{desk.base}/people")
        assert (await browser.send({"do": "remove", "user": packer.id})).status_code == 303
        assert [each.id for each in house.here(people.list_users, house.keyring)] == [owner.id]
        assert "somebody who was removed" not in (await browser.open(f"{desk.base}/people")).text


async def test_a_shops_owner_has_no_power_over_the_installations(desk: DeskWorld, owner: User) -> None:
    """Neither their role nor, by a link for a new password, their login."""
    local = desk.add_user("lena@example.com", "owner", desk.shop_id, "Lena")
    async with desk.signed_in(local) as browser:
        for fields in (
            {"do": "reset", "user": owner.id},
            {"do": "remove", "user": owner.id},
            {"do": "role", "user": owner.id, "role": "packer"},
        ):
            await browser.open(f"{desk.base}/people")
            assert (await browser.send(fields)).status_code == 404
        await browser.open(f"{desk.base}/people")
        whole = await browser.send({"do": "invite", "email": "x@example.com", "role": "owner every"})
        assert whole.status_code == 422


async def test_who_has_a_login_elsewhere_gets_the_role_at_once(desk: DeskWorld, owner: User) -> None:
    house = desk.house
    stray = desk.add_user("kim@example.com", "packer", "shop_elsewhere", "Kim")
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/people")
        page = await browser.follow(await browser.send({"do": "invite", "email": stray.email, "role": "packer"}))
        assert "have a login already" in page.text
    found = house.here(people.get_user, house.keyring, stray.id)
    assert set(found.roles) == {"shop_elsewhere", desk.shop_id}


# --- home, set-up, history ----------------------------------------------------------------------------------------


async def test_a_matter_stands_on_the_home_with_its_cure_until_it_is_done(
    desk: DeskWorld, owner: User, packer: User
) -> None:
    house, now = desk.house, desk.house.clock.now() - timedelta(hours=3)
    params = {"label": "1Z1", "carrier": "Sandbox", "said": "<b>no</b>"}
    house.here(need_person, desk.shop_id, "lab_1", Reason("void_refused", params), now)
    house.here(need_person, desk.shop_id, "par_1", Reason("risk_flagged"), now)
    async with desk.signed_in(packer) as browser:
        page = await browser.open(desk.base)
        assert "&lt;b&gt;no" in page.text
        assert "3 h ago" in page.text
        assert page.text.count(">Done<") == 1, "what Waybill sees for itself is not called done by hand"
        refund, risk = sorted(house.here(open_matters, desk.shop_id), key=lambda each: each.subject)
        assert (await browser.send({"do": "done", "matter": risk.id})).status_code == 422
        await browser.open(desk.base)
        assert (await browser.send({"do": "done", "matter": refund.id})).status_code == 303
        assert (await browser.open(desk.base)).text.count(">Done<") == 0
    assert [each.id for each in house.here(open_matters, desk.shop_id)] == [risk.id]
    (entry,) = house.here(audit.entries, desk.shop_id, subject="lab_1")
    assert (entry.action, entry.actor.name) == ("attention.done", packer.id)


async def test_the_home_says_first_what_is_wrong_and_is_calm_when_nothing_is(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        page = await browser.open(desk.base)
        assert "This wants a look:" in page.text
        assert "No worker runs" in page.text
        lease = Lease(desk.house.database, ttl_s=300, stall_s=600, on_lost=pytest.fail)
        await anyio.to_thread.run_sync(lease.take)
        try:
            await browser.open(f"{desk.base}/setup")
            await browser.send({"do": "on"})
            page = await browser.open(desk.base)
            assert "Everything is in order." in page.text
        finally:
            await anyio.to_thread.run_sync(lease.release)


async def test_what_a_person_settles_is_a_code_with_a_cure() -> None:
    assert {f"{code}_cure" for code in A_PERSON_SETTLES} - codes() == set()


async def test_the_checkout_is_checked_and_switched(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        setup = f"{desk.base}/setup"
        await browser.open(setup)
        page = await browser.follow(await browser.send({"do": "check"}))
        assert "What was found is below" in page.text
        assert "Carrier accounts" in page.text
        page = await browser.follow(await browser.send({"do": "on"}))
        assert next(iter(desk.house.directory.shops())).record.rates_on is True
        page = await browser.follow(await browser.send({"do": "off"}))
        assert next(iter(desk.house.directory.shops())).record.rates_on is False
        assert (await browser.send({"do": "explode"})).status_code == 422
    done = [each.action for each in desk.house.here(audit.entries, desk.shop_id) if each.actor.name == owner.id]
    assert {"shop.on", "shop.off"} <= set(done)


async def test_what_would_hide_the_prices_keeps_the_switch_off(desk: DeskWorld, owner: User) -> None:
    (account,) = next(iter(desk.house.directory.shops())).accounts
    async with desk.signed_in(owner) as browser:
        await browser.open(f"{desk.base}/carriers")
        await browser.send({"do": "disconnect", "account": account})
        await browser.open(f"{desk.base}/setup")
        refused = await browser.send({"do": "on"})
        assert (refused.status_code, "Not switched on" in refused.text) == (422, True)
        assert "Switch on all the same" in refused.text
        browser.page = refused
        assert (await browser.send({"do": "on_anyway"}, f"{desk.base}/setup")).status_code == 303


async def test_the_history_is_narrowed_and_downloaded(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        await change(browser, desk.base, 1, markup_percent="3")
        page = await browser.open(f"{desk.base}/history?subject=settings/2")
        assert page.text.count("Changed settings") == 1
        answer = await browser.open(f"{desk.base}/history?subject=settings/2&format=csv")
        table = rows(answer.content)
        assert [len(table), table[1][1], table[1][2]] == [2, "Anna", "settings.publish"]
        assert answer.headers["content-disposition"].startswith("attachment")
        for odd in ("before=x", "before=99999999999999999999", "before=-1", "subject=%00", "subject=" + "x" * 500):
            await browser.open(f"{desk.base}/history?{odd}")


async def test_a_spreadsheet_runs_nothing_of_ours() -> None:
    table = rows(csv_bytes(("a", "b", "c"), [("=cmd()", "+1", -5), ("@x", 'a"b', None)]))
    assert table[1:] == [["'=cmd()", "'+1", "-5"], ["'@x", 'a"b', ""]]


# --- words --------------------------------------------------------------------------------------------------------


def _used() -> set[str]:
    """Codes that templates and pages say, as far as they stand there in full."""
    found: set[str] = set()
    for template in (ROOT / "http/desk/templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        found |= set(re.findall(r"\bt\(\"([\w.]+)\"[,)]", text))
        found |= set(re.findall(r"badge\(\"([\w.]+\.[\w.]+)\"", text))
    for module in (ROOT / "http/desk").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", "")
            if name in {"say", "Complaint"} and node.args and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
            for keyword in node.keywords if name == "Goto" else ():
                if keyword.arg == "done":
                    found |= {
                        f"done.{each.value}" for each in ast.walk(keyword.value)
                        if isinstance(each, ast.Constant) and isinstance(each.value, str) and "." in each.value
                    }  # fmt: skip
    return found


async def test_every_text_that_a_page_says_is_there() -> None:
    used = _used()
    assert len(used) > 100
    assert used - texts().keys() == set()


async def test_every_setting_and_every_place_has_a_name() -> None:
    assert {f"setting.{key}" for key in KEYS} - texts().keys() == set()
    assert {f"place.{page.place}" for page in PAGES if not page.whole} - texts().keys() == set()


async def test_texts_hold_no_internal_terms_and_no_positional_fields() -> None:
    for code, text in texts().items():
        assert not {"gid://", "JSON", "HTTP", "null", "None", "CSRF", "token", "POST"} & set(text.split()), code
        assert all(name != "" for _, name, _, _ in string.Formatter().parse(text) if name is not None), code
