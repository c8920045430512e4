"""The signature of Shopify's app proxy: its documented examples, what it covers, how old it may be, and no crash."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.signatures import Invalid, Valid, check_shopify_proxy, shopify_proxy_signature

AT = 1317327555
PAGE = "extra=1&extra=2&shop=shop-name.myshopify.com&path_prefix=%2Fapps%2Fawesome_reviews&timestamp=1317327555"
Pairs = list[tuple[str, str]]


def pairs(query: str) -> Pairs:
    return parse_qsl(query, keep_blank_values=True)


@pytest.mark.parametrize(
    ("more", "signature"),
    [
        ("", "a9718877bea71c2484f91608a7eaea1532bdf71f5c56825065fa4ccabe549ef3"),
        ("&logged_in_customer_id=1", "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"),
    ],
)
def test_shopifys_documented_examples_hold(more: str, signature: str) -> None:
    """Shared secret `hush`; shopify.dev, "Authenticate app proxies", before and after customers were named in it."""
    assert check_shopify_proxy(pairs(f"{PAGE}{more}&signature={signature}"), ["newer", "hush"], AT) == Valid(1)


named = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=6)


def signed(query: Pairs) -> Pairs:
    whole = [each for each in query if each[0] not in {"signature", "timestamp"}] + [("timestamp", str(AT))]
    return [*whole, ("signature", shopify_proxy_signature(whole, "hush"))]


@given(named, st.permutations(range(8)))
def test_what_was_signed_holds_in_whatever_order_names_arrive(query: Pairs, order: list[int]) -> None:
    whole = signed(query)
    names = list(dict.fromkeys(name for name, _ in whole))
    mixed = [each for at in order if at < len(names) for each in whole if each[0] == names[at]]
    assert check_shopify_proxy(mixed, ["hush"], AT) == Valid(0)


@given(named, st.text(min_size=1, max_size=8), st.text(max_size=8))
def test_one_pair_more_or_less_breaks_it(query: Pairs, name: str, value: str) -> None:
    whole = signed(query)
    if name != "signature" and value:
        assert isinstance(check_shopify_proxy([(name, value), *whole], ["hush"], AT), Invalid)
    assert isinstance(check_shopify_proxy(whole[1:], ["hush"], AT), Invalid)


@given(named, st.text(max_size=80))
def test_nothing_makes_the_check_raise(query: Pairs, signature: str) -> None:
    found = check_shopify_proxy([*query, ("signature", signature)], ["hush"], AT)
    assert isinstance(found, Invalid)


@pytest.mark.parametrize(("apart", "holds"), [(0, True), (90, True), (-90, True), (91, False), (-91, False)])
def test_it_holds_for_ninety_seconds_either_way(apart: int, holds: bool) -> None:
    found = check_shopify_proxy(signed([]), ["hush"], AT + apart)
    assert found == (Valid(0) if holds else Invalid("expired"))


@pytest.mark.parametrize("timestamp", ["", "soon", "1e9", "٣", "9" * 40])
def test_a_timestamp_that_is_none_is_as_good_as_expired(timestamp: str) -> None:
    whole = [("timestamp", timestamp)]
    query = [*whole, ("signature", shopify_proxy_signature(whole, "hush"))]
    assert check_shopify_proxy(query, ["hush"], AT) == Invalid("expired")


def test_without_a_signature_or_a_secret_nothing_is_valid() -> None:
    whole = signed([])
    assert check_shopify_proxy(whole[:-1], ["hush"], AT) == Invalid("signature_missing")
    assert check_shopify_proxy([*whole, whole[-1]], ["hush"], AT) == Invalid("signature_missing")
    assert check_shopify_proxy(whole, [], AT) == Invalid("no_secret")
    assert check_shopify_proxy(whole, [""], AT) == Invalid("no_secret")
