"""What Shopify has to know of an app of ours: the file `shopify.app.toml`, and the same as fields to type. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.stores.shopify.discounts import SCOPE as DISCOUNT_SCOPE
from connector.stores.shopify.queries import SCOPES
from connector.stores.shopify.settings import API_VERSION

HEAD: Final = "# Written by `waybill shop app-config`; run it again to change it."

REASONS: Final[Mapping[str, str]] = {
    "read_orders": "read what was ordered, and where it goes",
    "write_merchant_managed_fulfillment_orders": "mark what was shipped, with carrier, tracking number and link",
    "write_fulfillments": "put the carrier's scans into the order's timeline",
    "write_shipping": "register the rate service that the checkout asks for prices",
    "read_products": "read weights and customs data of products",
    "read_locations": "know the addresses that goods leave from",
}
"""Why each access scope is asked for; held by a test to the scopes that our operations need."""

COMPLIANCE: Final = ("customers/data_request", "customers/redact", "shop/redact")


@dataclass(frozen=True, slots=True)
class AppConfig:
    """An app's configuration: the file's text, and the same by the Dev Dashboard's names."""

    toml: str
    fields: tuple[tuple[str, str], ...]


def app_config(url: str, client_id: str, name: str) -> AppConfig:
    """The configuration of an app that is reached at `url` (no slash at its end); equal input gives equal text."""
    page, granted, hooks = f"{url}/shopify/app", f"{url}/shopify/app/granted", f"{url}/apps/shopify/hooks"
    scopes = ",".join(SCOPES)
    why = "\n".join(f"# {scope}: {REASONS[scope]}" for scope in SCOPES)
    topics = ", ".join(_text(topic) for topic in COMPLIANCE)
    toml = f"""{HEAD}
client_id = {_text(client_id)}
name = {_text(name)}
application_url = {_text(page)}
embedded = true

[access_scopes]
{why}
scopes = {_text(scopes)}
# {DISCOUNT_SCOPE}: only to publish a free-shipping threshold as the store's own discount.
optional_scopes = [{_text(DISCOUNT_SCOPE)}]

[auth]
redirect_urls = [{_text(granted)}]

[webhooks]
api_version = {_text(API_VERSION)}

# News of orders go to an address of each shop's own, which is subscribed when the app is opened and repaired daily.
[[webhooks.subscriptions]]
topics = ["app/uninstalled"]
uri = {_text(hooks)}

[[webhooks.subscriptions]]
compliance_topics = [{topics}]
uri = {_text(hooks)}

# For pages on the store's own domain; each call is signed.
[app_proxy]
url = {_text(f"{url}/shopify/proxy")}
prefix = "apps"
subpath = "shipping"
"""
    fields = (
        ("App name", name),
        ("Client ID", client_id or "(given by Shopify)"),
        ("App URL", page),
        ("Embed app in Shopify admin", "yes"),
        ("Redirect URLs", granted),
        ("Scopes", scopes),
        ("Webhooks API version", API_VERSION),
        ("Webhook app/uninstalled", hooks),
        *((f"Compliance webhook {topic}", hooks) for topic in COMPLIANCE),
        ("Protected customer data", "name, address, phone, e-mail: to address labels and tell the carrier"),
        ("App proxy URL", f"{url}/shopify/proxy"),
        ("App proxy prefix and subpath", "apps/shipping"),
    )
    return AppConfig(toml, fields)


def _text(value: str) -> str:
    """A TOML basic string; JSON's escapes are all of them TOML's too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
