"""Access tokens: fetched, renewed before they end, kept in the vault; one renewal at a time for a shop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import structlog
from anyio import CancelScope, get_cancelled_exc_class

from connector.store import StoreError, StoreMisconfigured, StoreRefused, StoreRetryable, TokenVault
from connector.stores.shopify.client import AdminClient, ShopTarget, without
from connector.stores.shopify.settings import ShopifySettings
from webhooks.ports import Clock

_log = structlog.get_logger(__name__)

# How long before its end a token is renewed. A day's token can wait out an hour's trouble at Shopify; a rotating pair
# has an hour in all.
_EARLY = timedelta(hours=1)
_EARLY_ROTATING = timedelta(minutes=5)
_RENEWAL_S = 10.0
# Longer than a renewal may take, so that a claim ends by itself only where its process died or slept.
_CLAIM_S = 20.0
_LOOK_AGAIN_S = 0.1

REOPEN = "Shopify's access for this app has ended: open the app once in the Shopify admin, which renews it."


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and what renews it. Times are None where they were not told: then it does not end."""

    access_token: str
    expires_at: datetime | None = None
    refresh_token: str = ""
    refresh_expires_at: datetime | None = None
    scope: str = ""

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at!r}, scope={self.scope!r})"

    @classmethod
    def from_fields(cls, fields: Mapping[str, str] | None) -> Token | None:
        """What the vault keeps; None for nothing or for what is no token."""
        if not fields or not fields.get("access_token"):
            return None
        return cls(
            access_token=fields["access_token"],
            expires_at=_moment(fields.get("expires_at")),
            refresh_token=fields.get("refresh_token", ""),
            refresh_expires_at=_moment(fields.get("refresh_expires_at")),
            scope=fields.get("scope", ""),
        )

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any], now: datetime) -> Token | None:
        """What the token endpoint answered; None for what is no token."""
        access = answer.get("access_token")
        if not isinstance(access, str) or not access.isascii() or not access.strip():
            return None
        return cls(
            access_token=access.strip(),
            expires_at=_after(now, answer.get("expires_in")),
            refresh_token=str(answer.get("refresh_token") or ""),
            refresh_expires_at=_after(now, answer.get("refresh_token_expires_in")),
            scope=str(answer.get("scope") or ""),
        )

    def fields(self) -> dict[str, str]:
        """As the vault keeps it."""
        return {
            "access_token": self.access_token,
            "expires_at": self.expires_at.isoformat() if self.expires_at else "",
            "refresh_token": self.refresh_token,
            "refresh_expires_at": self.refresh_expires_at.isoformat() if self.refresh_expires_at else "",
            "scope": self.scope,
        }

    def works_at(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return self.expires_at is None or now < self.expires_at

    def is_fresh_at(self, now: datetime) -> bool:
        """Whether it need not be renewed yet."""
        early = _EARLY_ROTATING if self.refresh_token else _EARLY
        return self.expires_at is None or now < self.expires_at - early


class Tokens:
    """One shop's access token, shared between processes by the vault.

    A pair that rotates is renewed by its refresh token; otherwise the client-credentials grant fetches a new one, or
    with `grant=token_exchange` the merchant's next visit to the app. A token given in the settings is used as it is.
    """

    def __init__(
        self,
        settings: ShopifySettings,
        target: ShopTarget,
        client: AdminClient,
        clock: Clock,
        vault: TokenVault,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._settings = settings
        self._target = target
        self._client = client
        self._clock = clock
        self._vault = vault
        self._sleep = sleep
        self._lock = anyio.Lock()
        self._known: Token | None = None
        self._failures: list[StoreError] = []

    async def current(self) -> str:
        """A token that works now. Raises StoreError if there is none to be had."""
        if self._settings.access_token is not None:
            return self._settings.access_token.get_secret_value()
        known = self._known
        if known is not None and known.is_fresh_at(self._clock.now()):
            return known.access_token
        return (await self._renew(rejected="")).access_token

    async def after_rejection(self, rejected: str) -> str:
        """Another token than the one that Shopify did not take. Raises StoreMisconfigured if there is no way to one."""
        if self._settings.access_token is not None:
            raise StoreMisconfigured("Shopify does not accept the access token of the settings.")
        return (await self._renew(rejected=rejected)).access_token

    async def _renew(self, rejected: str) -> Token:
        """A fresh token: the one that somebody else fetched meanwhile, or a new one.

        Who waited while another's renewal failed gets that failure, and does not knock on the same door in turn.
        """
        failures = self._failures
        async with self._lock:
            if failures:
                raise failures[0]
            try:
                return await self._one_at_a_time(rejected)
            except StoreError as error:
                failures.append(_again(error))
                self._failures = []
                raise

    async def _one_at_a_time(self, rejected: str) -> Token:
        """The same among processes: one claims the renewal, the others wait for what it saves.

        A process that died between Shopify's answer and the save leaves its claim to end by itself. Whoever is next
        renews with the same refresh token, which Shopify takes until the pair that it replaced it by is used
        (shopify.dev, changelog "more resilient refreshes", 2026-08-28); that pair was never used.
        """
        patience = anyio.current_time() + _CLAIM_S + _RENEWAL_S
        while True:
            now = self._clock.now()
            kept = Token.from_fields(await self._vault.load())
            for token in (self._known, kept):
                if token is not None and token.access_token != rejected and token.is_fresh_at(now):
                    self._known = token
                    return token
            usable = kept is not None and kept.access_token != rejected and kept.works_at(now)
            if await self._vault.claim(_CLAIM_S):
                token = await self._claimed(kept, now, usable=usable)
                if token is not None:
                    return token
            elif usable and kept is not None:
                return kept  # It is renewed elsewhere, before it ends.
            elif anyio.current_time() > patience:
                raise StoreRetryable("Another process renews Shopify's access token.", detail="no token in time")
            else:
                await self._sleep(_LOOK_AGAIN_S)

    async def _claimed(self, kept: Token | None, now: datetime, *, usable: bool) -> Token | None:
        """Renew with the claim held. None: it is worth another look at what is saved."""
        saved = Token.from_fields(await self._vault.load())
        if saved != kept:  # Renewed between our look and our claim.
            await self._vault.give_up()
            return None
        try:
            token = await self._fetch(kept, now)
        except get_cancelled_exc_class():
            with CancelScope(shield=True):
                await self._vault.give_up()
            raise
        except StoreError as error:
            await self._vault.give_up()
            # Renewed early, so that trouble at the token endpoint costs nothing while the old one works.
            if not usable or kept is None:
                raise
            _log.warning("shopify_token_not_renewed", shop=self._target.domain, why=error.detail)
            return kept
        if not await self._vault.save(token.fields()):
            return None
        self._known = token
        return token

    async def _fetch(self, kept: Token | None, now: datetime) -> Token:
        secret = self._settings.client_secret.get_secret_value()
        form = {"client_id": self._settings.client_id, "client_secret": secret}
        rotating = kept is not None and bool(kept.refresh_token)
        if kept is not None and rotating:
            form |= {"grant_type": "refresh_token", "refresh_token": kept.refresh_token}
        elif self._settings.grant == "client_credentials":
            form |= {"grant_type": "client_credentials"}
        else:
            raise StoreMisconfigured(REOPEN, detail="no refresh token")
        try:
            answer = await self._client.ask_token(self._target, form, deadline_s=_RENEWAL_S)
        except (StoreRefused, StoreMisconfigured) as error:
            raise StoreMisconfigured(
                REOPEN
                if self._settings.grant == "token_exchange"
                else "Shopify gives this app no access token: check client id and secret, and that it is installed.",
                detail=without(error, secret).detail,
                request_id=error.request_id,
            ) from error
        token = Token.from_answer(answer, now)
        if token is None:
            raise StoreRetryable("Shopify's answer cannot be understood.", detail="no access token in it")
        if kept is not None and rotating and not token.refresh_token:
            token = replace(token, refresh_token=kept.refresh_token, refresh_expires_at=kept.refresh_expires_at)
        return token


def _again(error: StoreError) -> StoreError:
    """The same failure for somebody else, without the first one's traceback."""
    return type(error)(
        error.message, detail=error.detail, request_id=error.request_id, retry_after_s=error.retry_after_s
    )


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _after(now: datetime, seconds: object) -> datetime | None:
    try:
        return now + timedelta(seconds=int(str(seconds)))
    except (ValueError, OverflowError):
        return None
