"""Which shop a request may speak for: id, token and header must agree; a stranger learns nothing by asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from connector.http.limits import same_text
from connector.http.ports import Directory, ShopEntry
from connector.storage.ids import new_token

# What an unknown shop is compared with, so that it takes the same work as a known one.
_NO_TOKEN = new_token()
_NO_DOMAIN = "nobody.invalid"


def find_shop(
    directory: Directory, shop_id: str, token: str, door: Literal["rates", "hooks"], headers: Mapping[str, str]
) -> ShopEntry | None:
    """The shop, if the token is its own for this door and the headers name no other shop.

    Nothing differs outside between an unknown shop, a wrong token and a header of another shop.
    """
    entry = directory.shop(shop_id)
    if entry is None:
        expected, domain, claimed = _NO_TOKEN, _NO_DOMAIN, headers.get("x-shopify-shop-domain")
    else:
        expected = entry.rates_token if door == "rates" else entry.hooks_token
        domain, claimed = entry.domain, entry.claims_shop(headers)
    token_fits = same_text(token, expected)
    shop_fits = same_text(domain if claimed is None else claimed, domain)
    return entry if token_fits and shop_fits else None
