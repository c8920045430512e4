"""The admin of the Shopify simulator: id tokens, signed queries, and the grants of the token endpoint."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any

import jwt

from tests.simulators.shopify_world import Body, World

DOMAIN, CLIENT_ID = "waybill-test.myshopify.com", "client-id"
SECRET = "shpss_" + "0123456789abcdef" * 4
"""As long as real ones at least; tell the simulator by `settings(client_secret=SECRET)`."""

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


def id_token(secret: str = SECRET, *, without: tuple[str, ...] = (), algorithm: str = "HS256", **claims: Any) -> str:
    """The token that the admin gives an app's page; `claims` replace its own, those in `without` are left out."""
    now = int(time.time())
    usual: dict[str, Any] = {
        "iss": f"https://{DOMAIN}/admin",
        "dest": f"https://{DOMAIN}",
        "aud": CLIENT_ID,
        "sub": "42",
        "exp": now + 60,
        "nbf": now,
        "iat": now,
        "jti": secrets.token_hex(16),
        "sid": secrets.token_hex(16),
    }
    made = {name: value for name, value in (usual | claims).items() if name not in without}
    return jwt.encode(made, secret if algorithm != "none" else "", algorithm)


def signed_query(secret: str = SECRET, **values: str) -> dict[str, str]:
    """A query as the admin signs it: its own key order, keys except hmac, joined by &."""
    query = {"host": "YWRtaW4", "shop": DOMAIN, "timestamp": str(int(time.time()))} | values
    text = "&".join(f"{name}={query[name]}" for name in sorted(query))
    return query | {"hmac": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}


def grant(world: World, body: Mapping[str, Any]) -> tuple[int, Body]:
    """What the token endpoint answers to an app that proved itself."""
    bad: Body = {"error": "invalid_request", "error_description": "The grant cannot be used"}
    if body.get("grant_type") == EXCHANGE:
        return _exchange(world, body)
    if body.get("code"):
        if body["code"] not in world.codes:
            return 400, bad
        world.codes.discard(str(body["code"]))
        world.installed = True
        return 200, world.give_token(rotating=body.get("expiring") == "1")
    if not world.installed:
        return 400, {"error": "app_not_installed"}
    match body.get("grant_type"):
        case "client_credentials":
            return 200, world.give_token()
        case "refresh_token" if body.get("refresh_token") in world.refresh_tokens:
            known = str(body["refresh_token"])
            world.used(known)
            return 200, world.give_token(known, rotating=True)
        case _:
            return 400, bad


def _exchange(world: World, body: Mapping[str, Any]) -> tuple[int, Body]:
    wanted = "urn:shopify:params:oauth:token-type:offline-access-token"
    kind = "urn:ietf:params:oauth:token-type:id_token"
    if (body.get("requested_token_type"), body.get("subject_token_type")) != (wanted, kind):
        return 400, {"error": "invalid_request"}
    try:
        claims = jwt.decode(
            str(body.get("subject_token")), world.client_secret, ["HS256"], audience=world.client_id, leeway=10
        )
    except jwt.PyJWTError:
        return 400, {"error": "invalid_subject_token"}
    if claims["dest"] != f"https://{world.domain}":
        return 400, {"error": "invalid_subject_token"}
    world.installed = True
    return 200, world.give_token(rotating=body.get("expiring") == "1")
