"""What one shop's connection is made of, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connector.stores.shopify import KIND
from connector.stores.shopify.settings import ShopifySettings

GIVEN: dict[str, Any] = {"domain": "my-shop.myshopify.com", "client_id": "id", "client_secret": "very-secret"}


@pytest.mark.parametrize("domain", ["My-Shop.myshopify.com", "https://my-shop.myshopify.com/admin", " my-shop "])
def test_a_domain_is_brought_into_one_form(domain: str) -> None:
    settings = ShopifySettings.model_validate(GIVEN | {"domain": domain})
    assert settings.domain == "my-shop.myshopify.com"
    assert settings.base == "https://my-shop.myshopify.com"


@pytest.mark.parametrize(
    "change",
    [
        {"domain": "evil.example.com"},
        {"domain": "my-shop.myshopify.com.evil.example"},
        {"domain": ""},
        {"client_secret": ""},
        {"client_id": ""},
        {"api_version": "latest"},
        {"api_base": "ftp://127.0.0.1"},
        {"hmac": "maybe"},
        {"shop": "typo"},
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_without_showing_the_secret(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        ShopifySettings.model_validate(GIVEN | change)
    assert "very-secret" not in str(caught.value)


def test_both_secrets_count_while_one_is_changed() -> None:
    settings = ShopifySettings.model_validate(GIVEN | {"previous_client_secret": "older"})
    assert settings.secrets == ("very-secret", "older")


def test_secrets_are_not_shown() -> None:
    settings = ShopifySettings.model_validate(GIVEN | {"access_token": "shpat_1", "previous_client_secret": "older"})
    assert not any(secret in repr(settings) for secret in ("very-secret", "shpat_1", "older"))


def test_a_token_alone_is_enough() -> None:
    assert ShopifySettings.model_validate({**GIVEN, "client_id": "", "access_token": "shpat_1"}).client_id == ""


def test_the_kind_is_complete() -> None:
    assert KIND.name == "shopify"
    assert KIND.settings is ShopifySettings
    assert KIND.verify_app_hook is not None
