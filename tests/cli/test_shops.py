"""Connecting stores and carriers: what is printed, what is kept, what is refused."""

from __future__ import annotations

import pytest

from tests.cli.shell import Shell
from tests.cli.worlds import DOMAIN, Shop

KEY = "EZTKcanary0123456789"
SECRET = "canary-webhook-secret"
NOWHERE = "http://127.0.0.1:9"


def test_a_sandbox_shop_is_printed_with_its_urls(shell: Shell) -> None:
    text = shell.ok("shop", "add", "sandbox", public_url="https://ship.example")
    assert "Rate URL: https://ship.example/rates/shop_" in text
    assert "Hook URL: https://ship.example/hooks/shop_" in text
    assert "in test mode" in text


def test_an_added_shop_is_listed_as_it_was_added(shell: Shell) -> None:
    added = shell.json("shop", "add", "sandbox", "--currency", "CZK", "--name", "Čaj")
    (listed,) = shell.json("shop", "list")["shops"]
    assert listed == {key: value for key, value in added.items() if key not in {"install", "notes"}}
    assert (listed["currency"], listed["name"]) == ("CZK", "Čaj")


def test_an_empty_installation_says_what_to_do_next(shell: Shell) -> None:
    assert "Connect one with `waybill shop add`" in shell.ok("shop", "list")
    assert shell.json("shop", "list") == {"shops": []}


def test_two_sandbox_shops_live_side_by_side(shell: Shell) -> None:
    first, second = (shell.json("shop", "add", "sandbox")["shop_id"] for _ in range(2))
    assert [shop["shop_id"] for shop in shell.json("shop", "list")["shops"]] == [first, second]


def test_a_sandbox_domain_is_given_out_once(shop: Shop) -> None:
    assert "another name" in shop.shell.refused("shop", "add", "sandbox", "--domain", DOMAIN)
    assert len(shop.shell.json("shop", "list")["shops"]) == 1


@pytest.mark.parametrize("currency", ["euro", "EU", "", "12A"])
def test_a_currency_that_is_none_is_named(shell: Shell, currency: str) -> None:
    assert "--currency" in shell.refused("shop", "add", "sandbox", "--currency", currency, code=2)


def test_a_domain_that_is_none_is_named(shell: Shell) -> None:
    assert "--domain" in shell.refused("shop", "add", "sandbox", "--domain", "two words")
    assert shell.json("shop", "list") == {"shops": []}


def test_a_shop_is_named_by_its_domain_or_its_id(steady_shop: Shop) -> None:
    assert steady_shop.shell.json("settings", DOMAIN) == steady_shop.shell.json("settings", steady_shop.id)


@pytest.mark.parametrize(
    "args",
    [
        ("settings", "nope"),
        ("carrier", "add", "nope", "sandbox"),
        ("order", "show", "nope", "1"),
        ("label", "buy", "nope", "1"),
        ("attention", "nope"),
    ],
)
def test_an_unknown_shop_is_refused_by_every_command(steady_shop: Shop, args: tuple[str, ...]) -> None:
    assert steady_shop.shell.refused(*args) == "There is no such shop. (nope)"


def test_a_carrier_is_connected_with_a_tracking_url_of_its_own(shop: Shop) -> None:
    first, second = (shop.shell.json("carrier", "add", DOMAIN, "sandbox") for _ in range(2))
    assert first["test_mode"] is True
    assert first["hook_url"].startswith("http://127.0.0.1:8080/hooks/carrier/")
    assert first["hook_url"] != second["hook_url"]


def test_an_unknown_carrier_is_refused_with_those_that_there_are(steady_shop: Shop) -> None:
    said = steady_shop.shell.refused("carrier", "add", DOMAIN, "dhl", code=2)
    assert "'easypost'" in said
    assert "'sandbox'" in said


def test_a_carrier_without_its_key_is_refused_by_the_option_s_name(steady_shop: Shop) -> None:
    assert steady_shop.shell.refused("carrier", "add", DOMAIN, "easypost") == "--api-key is missing."


def test_a_key_in_the_environment_does_not_disturb_a_carrier_without_keys(shop: Shop) -> None:
    assert shop.shell.json("carrier", "add", DOMAIN, "sandbox", api_key=KEY)["test_mode"] is True


def test_an_option_that_a_carrier_has_no_use_for_is_refused(steady_shop: Shop) -> None:
    said = steady_shop.shell.refused("carrier", "add", DOMAIN, "sandbox", "--api-key", KEY)
    assert said == "The carrier sandbox takes no --api-key."


def test_an_account_that_cannot_be_asked_is_kept_and_says_so(shop: Shop) -> None:
    added = shop.shell.json("carrier", "add", DOMAIN, "easypost", "--api-base", NOWHERE, api_key=KEY)
    assert added["test_mode"] is None
    assert any("kept unproved" in note for note in added["notes"])
    assert any("--webhook-secret" in note for note in added["notes"])


def test_a_key_that_is_added_again_updates_its_account(shop: Shop) -> None:
    given = ("carrier", "add", DOMAIN, "easypost", "--api-base", NOWHERE)
    first = shop.shell.json(*given, api_key=KEY)
    again = shop.shell.json(*given, api_key=KEY, webhook_secret=SECRET)
    assert (first["updated"], again["updated"]) == (False, True)
    assert (first["account_id"], first["hook_url"]) == (again["account_id"], again["hook_url"])
    assert not any("--webhook-secret" in note for note in again["notes"])
    (listed,) = shop.shell.json("shop", "list")["shops"]
    assert len(listed["accounts"]) == 2


def test_a_removed_account_is_asked_no_more_and_comes_back_as_it_was(shop: Shop) -> None:
    given = ("carrier", "add", DOMAIN, "easypost", "--api-base", NOWHERE)
    added = shop.shell.json(*given, api_key=KEY)
    removed = shop.shell.json("carrier", "remove", DOMAIN, added["account_id"])
    assert removed == {"account_id": added["account_id"], "state": "removed"}
    assert [each["carrier"] for each in shop.shell.json("shop", "list")["shops"][0]["accounts"]] == ["sandbox"]
    again = shop.shell.json(*given, api_key=KEY)
    assert (again["account_id"], again["updated"]) == (added["account_id"], True)
    assert len(shop.shell.json("shop", "list")["shops"][0]["accounts"]) == 2


@pytest.mark.parametrize("verb", ["remove", "hook"])
def test_an_unknown_account_is_refused(steady_shop: Shop, verb: str) -> None:
    said = steady_shop.shell.refused("carrier", verb, DOMAIN, "acc_none")
    assert said == "The shop has no such carrier account. (acc_none)"


def test_a_carrier_that_takes_no_address_gets_it_by_hand(shop: Shop) -> None:
    (account,) = shop.shell.json("shop", "list")["shops"][0]["accounts"]
    assert "/hooks/carrier/" in shop.shell.refused("carrier", "hook", DOMAIN, account["id"])


def test_secrets_from_standard_input_are_read_line_by_line(shop: Shop) -> None:
    given = ("carrier", "add", DOMAIN, "easypost", "--api-base", NOWHERE, "--api-key", "-", "--webhook-secret", "-")
    added = shop.shell.json(*given, stdin=f"{KEY}\n{SECRET}\n")
    again = shop.shell.json("carrier", "add", DOMAIN, "easypost", "--api-base", NOWHERE, api_key=KEY)
    assert added["account_id"] == again["account_id"]


def test_an_empty_standard_input_is_named(steady_shop: Shop) -> None:
    given = ("carrier", "add", DOMAIN, "easypost", "--api-key", "-")
    assert steady_shop.shell.refused(*given, stdin="") == "Nothing came on standard input for --api-key."


@pytest.mark.parametrize("more", [(), ("--api-base", "no address"), ("--api-base", "ftp://x")])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_are_never_echoed(shop: Shop, more: tuple[str, ...], form: tuple[str, ...]) -> None:
    """Neither in answers nor in refusals, however they were given."""
    base = more or ("--api-base", NOWHERE)
    given = ("carrier", "add", DOMAIN, "easypost", *base, *form)
    results = [
        shop.shell.run(*given, api_key=KEY, webhook_secret=SECRET),
        shop.shell.run(*given, "--api-key", "-", "--webhook-secret", "-", stdin=f"{KEY}\n{SECRET}\n"),
        shop.shell.run(*given, "--api-key", KEY, "--webhook-secret", SECRET),
        shop.shell.run(*given, "--api-key", f"{KEY} with blanks"),
        shop.shell.run("shop", "list", *form),
    ]
    for result in results:
        assert KEY not in result.output
        assert SECRET not in result.output


@pytest.mark.parametrize(
    ("domain", "client_secret", "named"),
    [
        ("not a domain", "x", "--domain"),
        ("shop.example.org", "x", "--domain"),
        ("tea.myshopify.com", "", "client secret"),
    ],
)
def test_wrong_shopify_credentials_are_named_before_anything_is_sent(
    shell: Shell, domain: str, client_secret: str, named: str
) -> None:
    given = ("shop", "add", "shopify", "--domain", domain, "--client-id", "id", "--client-secret", client_secret)
    assert named in shell.refused(*given)


def test_a_shopify_secret_is_not_echoed_when_the_shop_is_not_reached(shell: Shell) -> None:
    given = ("shop", "add", "shopify", "--domain", "tea.myshopify.com", "--api-base", NOWHERE, "--client-id", "cid")
    for result in (shell.run(*given, client_secret=SECRET), shell.run(*given, "--client-secret", "-", stdin=SECRET)):
        assert result.exit_code == 1
        assert "could not be reached" in result.stderr
        assert SECRET not in result.output
    assert shell.json("shop", "list") == {"shops": []}


# --- the switch ---------------------------------------------------------------------------------------------------


def listed(shell: Shell) -> dict[str, object]:
    (only,) = shell.json("shop", "list")["shops"]
    return dict(only)


def test_a_new_shop_is_off_and_says_how_to_switch_it_on(shell: Shell) -> None:
    added = shell.json("shop", "add", "sandbox", "--domain", DOMAIN)
    assert added["rates_on"] is False
    assert f"Its rates are off. Switch them on with `waybill shop on {DOMAIN}`." in added["notes"]
    assert "Rates: off" in shell.ok("shop", "list")


def test_a_script_may_switch_on_while_adding(shell: Shell) -> None:
    added = shell.json("shop", "add", "sandbox", "--domain", DOMAIN, "--on")
    assert (added["rates_on"], added["notes"]) == (True, [])


def test_the_switch_goes_both_ways_and_says_what_it_did(shop: Shop) -> None:
    on = shop.shell.json("shop", "on", DOMAIN, "--anyway")
    assert (on["rates_on"], on["was"], listed(shop.shell)["rates_on"]) == (True, False, True)
    assert "were on already" in shop.shell.ok("shop", "on", DOMAIN, "--anyway")
    assert "are off now" in shop.shell.ok("shop", "off", DOMAIN)
    assert "were off already" in shop.shell.ok("shop", "off", DOMAIN)
    assert listed(shop.shell)["rates_on"] is False


@pytest.mark.complaint(23)
def test_on_is_refused_with_causes_and_cures(shell: Shell) -> None:
    shell.json("shop", "add", "sandbox", "--domain", DOMAIN)
    said = shell.refused("shop", "on", DOMAIN)
    assert said.startswith("Not switched on: buyers would see no prices. No carrier")
    assert "--anyway" in said
    assert listed(shell)["rates_on"] is False


def test_a_removed_shop_is_gone_from_the_list_and_comes_back_as_it_was(shell: Shell) -> None:
    first = shell.json("shop", "add", "sandbox", "--domain", DOMAIN, "--on")
    removed = shell.json("shop", "remove", DOMAIN, "--yes")
    assert removed["left_over"] == ""
    assert {step["state"] for step in removed["steps"]} == {"removed"}
    assert shell.json("shop", "list") == {"shops": []}
    back = shell.json("shop", "add", "sandbox", "--domain", DOMAIN)
    assert back["shop_id"] == first["shop_id"]
    assert back["rate_url"] != first["rate_url"]
    assert back["rates_on"] is False


def test_removing_asks_first_and_programs_must_say_yes(shop: Shop) -> None:
    assert shop.shell.json("shop", "remove", DOMAIN, code=1)["error"]["detail"] == "--yes"
    assert shop.shell.run("shop", "remove", DOMAIN, stdin="n\n").exit_code == 1
    assert listed(shop.shell)["domain"] == DOMAIN


@pytest.mark.parametrize("verb", ["on", "off", "remove"])
def test_the_switch_of_an_unknown_shop_is_refused(steady_shop: Shop, verb: str) -> None:
    more = ("--yes",) if verb == "remove" else ()
    assert steady_shop.shell.refused("shop", verb, "nope", *more) == "There is no such shop. (nope)"
