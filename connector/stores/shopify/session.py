"""Who opens the app: session tokens and signed queries, checked by the official library and where it is lax by us.

Proofs follow real time, as Shopify's machines do, never the Clock of the business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.installing.visits import NoVisit, Visit, Why
from connector.storage.apps import AppRecord

QUERY_KEEPS_S = 600
"""A signed query proves a visit for so long; the official library would take it for a day, and from the future."""

LEEWAY_S = 60
"""How far ahead Shopify's clock may be where we check it ourselves."""


def shop_domain(text: str) -> str:
    """A shop's myshopify.com domain by the official rules, or nothing."""
    # Imported here because the package loads every REST resource it has: 0.15 s that only a Shopify shop pays.
    from shopify.utils.shop_url import sanitize_shop_domain

    return str(sanitize_shop_domain(text) or "")


def read_visit(
    query: Mapping[str, str], authorization: str, apps: Sequence[AppRecord], now: datetime
) -> Visit | NoVisit:
    """Who comes, by the token of the header, else that of the query, else the signed query."""
    named = shop_domain(query.get("shop", "")) if query.get("shop") else ""
    scheme, _, bearer = authorization.partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else query.get("id_token", "")
    if token:
        visit = read_token(token, apps, now)
        if isinstance(visit, NoVisit):
            return NoVisit(visit.why, named)
        return visit if named in {"", visit.shop} else NoVisit("other_shop", named)
    if "hmac" in query:
        return read_signed(query, apps, now)
    return NoVisit("nothing", named)


def read_token(token: str, apps: Sequence[AppRecord], now: datetime) -> Visit | NoVisit:
    """Check a session token: HS256 with an app's secret, for that app, in its time, of one shop only."""
    why: Why = "token_wrong"
    for app in apps:
        for secret in app.secrets_at(now):
            claims = _decode(token, app.client_id, secret)
            if claims == "ended":
                why = "token_ended"
            elif isinstance(claims, dict) and (shop := _shop_of(claims, app.client_id)):
                return Visit(app, shop, str(claims["sub"])[:100], token)
    return NoVisit(why)


def _decode(token: str, client_id: str, secret: str) -> dict[str, Any] | str | None:
    """The claims; "ended" for a token that was good and is over; None for any other."""
    import jwt
    from shopify.session_token import SessionTokenError, decode_from_header

    try:
        claims: dict[str, Any] = decode_from_header(f"Bearer {token}", client_id, secret)
    except SessionTokenError as error:
        return "ended" if isinstance(error.__cause__, jwt.ExpiredSignatureError) else None
    except (ValueError, TypeError, AttributeError):  # Claims that are no text, of whoever has the secret.
        return None
    return claims


def _shop_of(claims: Mapping[str, Any], client_id: str) -> str:
    """The shop of claims whose signature held, or nothing.

    The official library lets a token without an end pass, and an audience of several.
    """
    times = [claims.get(name) for name in ("exp", "nbf")]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in times):
        return ""
    dest = claims.get("dest")
    if claims.get("aud") != client_id or not isinstance(dest, str) or not claims.get("sub"):
        return ""
    shop = shop_domain(dest.removeprefix("https://"))
    right = (f"https://{shop}", {f"https://{shop}/admin", f"https://{shop}"})
    return shop if shop and dest == right[0] and claims.get("iss") in right[1] else ""


def read_signed(query: Mapping[str, str], apps: Sequence[AppRecord], now: datetime) -> Visit | NoVisit:
    """Check a query that Shopify signed with an app's secret, lately, for a shop by the official rules."""
    given = query.get("shop", "")
    shop = shop_domain(given)
    signed_at = query.get("timestamp", "")
    if not (shop and shop == given and signed_at.isascii() and signed_at.isdigit() and len(signed_at) < 12):
        return NoVisit("query_wrong", shop)
    app = next((each for each in apps if any(_is_signed(query, secret) for secret in each.secrets_at(now))), None)
    if app is None:
        return NoVisit("query_wrong", shop)
    age = now.timestamp() - int(signed_at)
    return Visit(app, shop) if -LEEWAY_S <= age <= QUERY_KEEPS_S else NoVisit("query_old", shop)


def _is_signed(query: Mapping[str, str], secret: str) -> bool:
    from shopify.session import Session

    # The library keeps the secret on the class; one made for the moment shares it with nobody.
    own: Any = type("OneSecret", (Session,), {"secret": secret})
    return bool(own.validate_params(dict(query)))
