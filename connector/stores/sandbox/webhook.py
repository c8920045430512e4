"""The sandbox platform's deliveries: sign them (for the demo), verify them, then read them.

The id and the topic stand in the body, so that the signature covers them. The body says which order, never what is
in it: the order is to be read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from connector.store import AppDelivery, GroupNews, OrderNews, PrivacyRequest, ProductNews, ShopGone, StoreNews
from connector.stores.sandbox.documents import Document
from connector.stores.sandbox.mapping import dump, wrong_field
from webhooks.receiver import Authentic, Forged
from webhooks.signatures import Invalid, Valid, check_sandbox, sandbox_signature

SHOP_HEADER = "x-sandbox-shop"
SIGNATURE_HEADER = "x-sandbox-signature"


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A request as the pretend platform would post it: a webhook or a rate call."""

    headers: Mapping[str, str]
    body: bytes


class DeliveryJSON(Document):
    """A webhook's body."""

    id: str
    topic: str
    shop: str
    order_id: str = ""
    group_id: str = ""
    order_ids: list[str] | None = None
    product_id: str = ""


def sign(body: bytes, domain: str, secret: str) -> SignedCall:
    """Add the headers that prove where the call comes from."""
    return SignedCall(
        {
            "content-type": "application/json",
            SHOP_HEADER: domain,
            SIGNATURE_HEADER: sandbox_signature(body, secret),
        },
        body,
    )


def delivery(delivery_id: str, topic: str, domain: str, secret: str, **about: Any) -> SignedCall:
    """A signed webhook; equal news give equal bytes."""
    return sign(dump({"id": delivery_id, "topic": topic, "shop": domain} | about), domain, secret)


def claims_shop(headers: Mapping[str, str]) -> str | None:
    """The shop that the request's headers name, lower case."""
    named = headers.get(SHOP_HEADER)
    return named.strip().lower() if named else None


def signature_state(raw: bytes, headers: Mapping[str, str], secret: str) -> Literal["valid", "absent", "wrong"]:
    """How a rate call is proved."""
    match check_sandbox(raw, headers.get(SIGNATURE_HEADER), [secret]):
        case Valid():
            return "valid"
        case Invalid(reason):
            return "absent" if reason == "signature_missing" else "wrong"


def verify(raw: bytes, headers: Mapping[str, str], secrets: tuple[str, ...]) -> Authentic | Forged:
    """Check a delivery's signature, then find its id, which is the delivery key. Never raises."""
    checked = _verify(raw, headers, secrets)
    return checked if isinstance(checked, Forged) else Authentic(checked.id, checked.topic)


def verify_app_hook(raw: bytes, headers: Mapping[str, str], secrets: tuple[str, ...]) -> AppDelivery | Forged:
    """The same for an app-wide endpoint; the shop is the one in the signed body. Never raises."""
    checked = _verify(raw, headers, secrets)
    if isinstance(checked, Forged):
        return checked
    return AppDelivery(checked.shop.lower(), Authentic(checked.id, checked.topic))


def _verify(raw: bytes, headers: Mapping[str, str], secrets: tuple[str, ...]) -> DeliveryJSON | Forged:
    match check_sandbox(raw, headers.get(SIGNATURE_HEADER), secrets):
        case Invalid(reason):
            return Forged(reason)
    try:
        return DeliveryJSON.model_validate_json(raw)
    except ValidationError as error:
        return Forged("malformed", field=wrong_field(error)[1])


def read(topic: str, raw: bytes) -> list[StoreNews]:
    """What a verified delivery tells; nothing for what means nothing to us."""
    try:
        told = DeliveryJSON.model_validate_json(raw)
    except ValidationError:
        return []
    match topic.partition("/"):
        case ("orders", _, _) if told.order_id:
            return [OrderNews(told.order_id, topic)]
        case ("groups", _, _) if told.group_id:
            return [GroupNews(told.group_id, topic)]
        case ("products", _, _) if told.product_id:
            return [ProductNews(told.product_id, topic)]
        case ("app", _, "uninstalled"):
            return [ShopGone()]
        case ("privacy", _, ("export" | "erase") as kind):
            scope: Literal["customer", "shop"] = "shop" if told.order_ids is None else "customer"
            return [PrivacyRequest(kind, scope, tuple(told.order_ids or ()))]
        case _:
            return []
