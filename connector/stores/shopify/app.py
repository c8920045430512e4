"""An app of ours at Shopify: visits are proved, access is granted as an expiring pair, pages lead back to the admin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from connector.installing.visits import NoVisit, Visit
from connector.storage.apps import AppRecord
from connector.store import StoreMisconfigured, StoreRefused, StoreRetryable
from connector.stores.shopify import session
from connector.stores.shopify.client import AdminClient, ShopTarget, without
from connector.stores.shopify.queries import SCOPES
from connector.stores.shopify.settings import API_VERSION
from connector.stores.shopify.tokens import Token
from webhooks.outgoing import Outgoing

_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a name, no secret.
_OFFLINE: Final = "urn:shopify:params:oauth:token-type:offline-access-token"
_DEADLINE_S = 10.0


class ShopifyApps:
    """See `connector.installing.visits.AppPlatform`."""

    def read_visit(
        self, query: Mapping[str, str], authorization: str, apps: Sequence[AppRecord], now: datetime
    ) -> Visit | NoVisit:
        """See `session.read_visit`."""
        return session.read_visit(query, authorization, apps, now)

    def read_return(self, query: Mapping[str, str], apps: Sequence[AppRecord], now: datetime) -> Visit | NoVisit:
        """See `session.read_signed`: a return is signed, whatever else it carries."""
        return session.read_signed(query, apps, now) if "hmac" in query else NoVisit("nothing")

    async def exchange(self, outgoing: Outgoing, visit: Visit, now: datetime) -> Mapping[str, str]:
        """An offline token that ends in an hour, with the refresh token beside it."""
        form = {
            "grant_type": _GRANT,
            "subject_token": visit.id_token,
            "subject_token_type": _ID_TOKEN,
            "requested_token_type": _OFFLINE,
            "expiring": "1",
        }
        return await self._ask(outgoing, visit.app, visit.shop, form, now)

    async def redeem(
        self, outgoing: Outgoing, app: AppRecord, shop: str, code: str, now: datetime
    ) -> Mapping[str, str]:
        """The same for a code of the authorization-code grant."""
        return await self._ask(outgoing, app, shop, {"code": code, "expiring": "1"}, now)

    async def _ask(
        self, outgoing: Outgoing, app: AppRecord, shop: str, form: Mapping[str, str], now: datetime
    ) -> Mapping[str, str]:
        target = ShopTarget(shop, app.api_base or f"https://{shop}", API_VERSION)
        proof = {"client_id": app.client_id, "client_secret": app.secret}
        try:
            answer = await AdminClient(outgoing).ask_token(target, {**proof, **form}, deadline_s=_DEADLINE_S)
        except (StoreRefused, StoreMisconfigured) as error:
            raise StoreMisconfigured(
                "Shopify gives the app no access: check client id and secret, and open the app again.",
                detail=without(error, app.secret).detail,
                request_id=error.request_id,
            ) from error
        token = Token.from_answer(answer, now)
        if token is None:
            raise StoreRetryable("Shopify's answer cannot be understood.", detail="no access token in it")
        return token.fields()

    def permission_url(self, app: AppRecord, shop: str, redirect: str, state: str) -> str:
        """The authorization page of the shop's admin."""
        from shopify.session import Session

        own: Any = type("OneApp", (Session,), {"api_key": app.client_id, "secret": app.secret})
        return str(own(shop, API_VERSION).create_permission_url(list(SCOPES), redirect, state))

    def inside_url(self, app: AppRecord, shop: str) -> str:
        """Where Shopify opens the app inside its admin."""
        return f"https://{shop}/admin/apps/{app.client_id}"
