"""Who opens the app: forged, strange and old proofs are refused, by name."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.installing.visits import NoVisit, Visit
from connector.storage.apps import AppRecord
from connector.stores.shopify.session import read_signed, read_visit, shop_domain
from tests.simulators.shopify_admin import CLIENT_ID, DOMAIN, SECRET, id_token, signed_query

APP = AppRecord("app_1", "shopify", CLIENT_ID, SECRET)
OTHER = AppRecord("app_2", "shopify", "other-id", "another secret of another app, which is long")


def read(token: str, *apps: AppRecord, **query: str) -> Visit | NoVisit:
    return read_visit({"id_token": token} | query, "", apps or (APP,), datetime.now(UTC))


def why(result: Visit | NoVisit) -> str:
    assert isinstance(result, NoVisit), result
    return result.why


def test_a_good_token_names_the_shop_the_person_and_the_app() -> None:
    token = id_token()
    visit = read(token, OTHER, APP, shop=DOMAIN)
    assert visit == Visit(APP, DOMAIN, "42", token)
    assert token not in repr(visit)
    assert SECRET not in repr(visit)
    assert read_visit({}, f"Bearer {token}", [APP], datetime.now(UTC)) == visit


def test_the_header_counts_before_the_query() -> None:
    assert why(read_visit({"id_token": id_token()}, "Bearer nonsense", [APP], datetime.now(UTC))) == "token_wrong"


@pytest.mark.parametrize("missing", ["exp", "nbf", "iss", "dest", "aud", "sub", "jti", "sid"])
def test_a_token_without_a_claim_is_refused(missing: str) -> None:
    """The official library lets one without `exp` or `nbf` pass."""
    assert why(read(id_token(without=(missing,)))) == "token_wrong"


@pytest.mark.parametrize(
    "claims",
    [
        {"dest": "https://other.myshopify.com"},
        {"iss": "https://other.myshopify.com/admin"},
        {"iss": "https://evil.example/admin", "dest": "https://evil.example"},
        {"iss": f"http://{DOMAIN}/admin", "dest": f"http://{DOMAIN}"},
        {"iss": f"https://{DOMAIN}.evil.example/admin", "dest": f"https://{DOMAIN}.evil.example"},
        {"iss": f"https://evil@{DOMAIN}/admin", "dest": f"https://evil@{DOMAIN}"},
        {"dest": f"https://{DOMAIN}/elsewhere"},
        {"aud": "another app"},
        {"aud": [CLIENT_ID, "another app"]},
        {"dest": 7},
        {"iss": "nonsense"},
        {"exp": "tomorrow"},
        {"nbf": 4_000_000_000},  # In the year 2096; a time from now on would have come when the test runs late.
        {"sub": ""},
    ],
)
def test_a_token_for_somebody_or_something_else_is_refused(claims: dict[str, Any]) -> None:
    assert why(read(id_token(**claims))) == "token_wrong"


def test_a_token_of_another_key_is_refused() -> None:
    assert why(read(id_token("a secret that is not ours, and as long as one"))) == "token_wrong"
    assert why(read(id_token(OTHER.secret), APP, OTHER)) == "token_wrong"  # Signed by one app, meant for the other.


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_a_token_of_another_algorithm_is_refused(algorithm: str) -> None:
    assert why(read(id_token(algorithm=algorithm))) == "token_wrong"


def test_a_token_whose_claims_were_changed_is_refused() -> None:
    head, _, signature = id_token().split(".")
    claims = {"dest": "https://other.myshopify.com", "exp": 9999999999}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert why(read(f"{head}.{body}.{signature}")) == "token_wrong"


@pytest.mark.parametrize("token", ["x", "a.b.c", "\ud800", "é" * 50, "." * 5000])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert why(read(token)) == "token_wrong"


def test_a_token_that_has_ended_is_told_apart_with_a_little_leeway() -> None:
    assert why(read(id_token(exp=int(time.time()) - 30))) == "token_ended"
    assert isinstance(read(id_token(exp=int(time.time()) - 3)), Visit)


def test_a_token_and_a_query_of_two_shops_are_refused() -> None:
    assert read(id_token(), shop="other.myshopify.com") == NoVisit("other_shop", "other.myshopify.com")


def test_the_secret_before_the_last_change_proves_for_a_while() -> None:
    now = datetime.now(UTC)
    changed = AppRecord(
        "app_1", "shopify", CLIENT_ID, "the new secret of the app, long enough", SECRET, now - timedelta(hours=1)
    )
    assert isinstance(read(id_token(), changed), Visit)
    long_ago = AppRecord(
        "app_1", "shopify", CLIENT_ID, "the new secret of the app, long enough", SECRET, now - timedelta(hours=9)
    )
    assert why(read(id_token(), long_ago)) == "token_wrong"


def test_a_visit_without_any_proof_is_nobody_s() -> None:
    assert read_visit({"shop": DOMAIN}, "", [APP], datetime.now(UTC)) == NoVisit("nothing", DOMAIN)
    assert read_visit({"shop": "evil.example"}, "Basic x", [APP], datetime.now(UTC)) == NoVisit("nothing", "")


# --- signed queries -----------------------------------------------------------------------------------------------


def signed(**values: str) -> Visit | NoVisit:
    return read_signed(signed_query(**values), [OTHER, APP], datetime.now(UTC))


def test_a_signed_query_names_the_shop_and_the_app() -> None:
    assert signed() == Visit(APP, DOMAIN)


@pytest.mark.parametrize(
    "changes",
    [
        {"hmac": "0" * 64},
        {"hmac": ""},
        {"hmac": "é"},
        {"shop": "other.myshopify.com"},
        {"timestamp": "now"},
        {"timestamp": ""},
        {"timestamp": "9" * 40},
        {"more": "1"},
    ],
)
def test_a_query_that_was_changed_is_refused(changes: dict[str, str]) -> None:
    assert why(read_signed(signed_query() | changes, [APP], datetime.now(UTC))) == "query_wrong"


@pytest.mark.parametrize("shop", ["evil.example", "x.myshopify.com.evil.example", "UPPER.myshopify.com", "", "a b"])
def test_a_signed_query_of_what_is_no_shop_is_refused(shop: str) -> None:
    assert why(signed(shop=shop)) == "query_wrong"


@pytest.mark.parametrize("seconds", [-86_399, -3600, 600])
def test_a_signed_query_of_long_ago_or_of_the_future_is_refused(seconds: int) -> None:
    """The official library takes one for a whole day, and any of the future."""
    assert why(signed(timestamp=str(int(time.time()) + seconds))) == "query_old"


@pytest.mark.parametrize("given", ["tea.myshopify.com", "https://tea.myshopify.com", "TEA.myshopify.com ", "tea"])
def test_shop_domains_are_read_by_the_official_rules(given: str) -> None:
    assert shop_domain(given) == "tea.myshopify.com"
    assert shop_domain(f"evil.example/{given}") == ""
