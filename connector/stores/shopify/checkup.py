"""Why a Shopify checkout may not show our prices: plan, permissions, service, zones, profiles, weights, webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from connector.checkup.asked import Asked, judge_switch
from connector.checkup.finding import Check, Finding, Level
from connector.checkup.ours import names
from connector.checkup.places import judge_locations
from connector.store import StoreMisconfigured
from connector.stores.shopify import looking, queries
from connector.stores.shopify.backup import orders_of_others
from connector.stores.shopify.install import topic_enum
from connector.stores.shopify.looking import Once, Profile, Service
from connector.stores.shopify.shop import ShopifyStore
from connector.stores.shopify.webhook import SUBSCRIBED
from connector.words.reason import Param, Reason

_NEVER_PLANS = frozenset({"Starter", "Lite", "Basic", "Retail"})
_MAYBE_PLANS = frozenset({"Shopify", "Grow"})
_TOKEN_ENDS_SOON = timedelta(days=14)
_SKEW = timedelta(minutes=2)
_ASK_S = 10.0


def checks(asked: Asked) -> Sequence[Check]:
    """Every check of a Shopify shop. Raises TypeError for another platform's connection."""
    store = asked.store
    if not isinstance(store, ShopifyStore):
        raise TypeError(type(store).__name__)
    look = _Look(asked, store)
    return [
        Check("credentials", Reason("checked_credentials"), look.credentials),
        Check("permissions", Reason("checked_permissions"), look.permissions),
        Check("service", Reason("checked_service"), look.service),
        Check("zones", Reason("checked_zones"), look.zones),
        Check("weights", Reason("checked_weights"), look.weights),
        Check("locations", Reason("checked_locations"), look.locations),
        Check("webhooks", Reason("checked_webhooks"), look.webhooks),
        Check("chosen", Reason("checked_chosen"), look.chosen),
        Check("clock", Reason("checked_clock"), look.clock),
    ]


class _Look:
    """One look at one shop. What several checks need is read once."""

    def __init__(self, asked: Asked, store: ShopifyStore) -> None:
        self._asked = asked
        self._store = store
        self._api = store.api
        self._admin = f"https://admin.shopify.com/store/{asked.shop.removesuffix('.myshopify.com')}"
        self._shop = Once(lambda: looking.read_shop(self._api))
        self._services = Once(lambda: looking.read_services(self._api))
        self._profiles = Once(lambda: looking.read_profiles(self._api))

    # --- access -------------------------------------------------------------------------------------------------------

    async def credentials(self) -> list[Finding]:
        """Whether Shopify lets us in, and for how long yet."""
        now = self._asked.clock.now()
        kept = await self._asked.vault.load() or {}
        ends_at = _moment(kept.get("refresh_expires_at"))
        apps = f"{self._admin}/settings/apps"
        try:
            await self._store.facts()
        except StoreMisconfigured as error:
            if ends_at is not None and ends_at <= now:
                return [Finding(Reason("check_token_ended"), "costs_money", link=apps)]
            return [Finding(Reason("check_store_refuses", {"said": error.message}), "costs_money", link=apps)]
        if ends_at is not None and ends_at - now < _TOKEN_ENDS_SOON:
            return [Finding(Reason("check_token_ends", {"days": (ends_at - now).days}), "look", link=apps)]
        return []

    async def permissions(self) -> list[Finding]:
        """Whether the app may do what it has to."""
        held = (await self._shop()).scopes
        held = held | {scope.replace("write_", "read_", 1) for scope in held}
        missing = [scope for scope in queries.SCOPES if scope not in held]
        if not missing:
            return []
        level: Level = "stops_rates" if "write_shipping" in missing else "costs_money"
        params = {"permissions": ", ".join(missing)}
        return [Finding(Reason("check_permissions_missing", params), level, link=f"{self._admin}/settings/apps")]

    # --- what the checkout knows of us --------------------------------------------------------------------------------

    async def service(self) -> list[Finding]:
        """The one gravest cause: the plan, no service, switched off, or at another address."""
        ours = await self._ours()
        plan = await self._plan(ours)
        if plan is not None:
            return [plan]
        shipping = f"{self._admin}/settings/shipping"
        if ours is None:
            return [Finding(Reason("check_service_missing"), "stops_rates", link=shipping)]
        found = []
        if ours.url != self._asked.callbacks.rates:
            places = {"there": _place(ours.url), "here": _place(self._asked.callbacks.rates)}
            found.append(Finding(Reason("check_service_elsewhere", places), "stops_rates", link=shipping))
        return found + judge_switch(is_on=ours.active, wanted=self._asked.rates_on, link=shipping)

    async def _ours(self) -> Service | None:
        """Our service: by its address, else by its name."""
        services, url = await self._services(), self._asked.callbacks.rates
        by_url = [each for each in services if each.url == url]
        by_name = [each for each in services if each.name == self._store.settings.service_name]
        return next(iter([*by_url, *by_name]), None)

    async def _plan(self, ours: Service | None) -> Finding | None:
        """The plan, where it does not let prices of apps into the checkout; None if it does, or nothing speaks so.

        Shopify tells no shop whether it has the feature (2026-10). Advanced and above have it, Grow if paid by the
        year; it can be bought for other plans too. So a plan is named only where our service does not work as well.
        """
        shop = await self._shop()
        working = ours is not None and ours.active and await self._is_in_a_zone(ours)
        if shop.for_developers or working:
            return None
        params, link = {"plan": shop.plan}, f"{self._admin}/settings/plan"
        if shop.plan in _NEVER_PLANS:
            return Finding(Reason("check_plan", params), "stops_rates", link=link)
        if shop.plan in _MAYBE_PLANS and ours is None:
            return Finding(Reason("check_plan_perhaps", params), "stops_rates", link=link)
        return None

    async def _is_in_a_zone(self, ours: Service) -> bool:
        return any(ours.id in zone.services for profile in await self._profiles() for zone in profile.zones)

    async def zones(self) -> list[Finding]:
        """Each profile and each zone without our prices, and profiles whose prices are added up."""
        ours = await self._ours()
        if ours is None or await self._plan(ours) is not None:
            return []  # That is the cause, and told already.
        profiles = [each for each in await self._profiles() if each.variants or each.is_default]
        shipping = f"{self._admin}/settings/shipping"
        if not await self._is_in_a_zone(ours):
            return [Finding(Reason("check_in_no_zone"), "stops_rates", link=shipping)]
        found = [each for profile in profiles for each in self._judge_profile(profile, ours)]
        return found + self._judge_sums(profiles, shipping)

    def _judge_profile(self, profile: Profile, ours: Service) -> list[Finding]:
        link = f"{self._admin}/settings/shipping/profiles/{profile.id.rsplit('/', 1)[-1]}"
        without = [zone.name for zone in profile.zones if ours.id not in zone.services]
        named: dict[str, Param] = {
            "profile": profile.name,
            "count": profile.variants,
            "products": names(profile.products),
        }
        if profile.variants and len(without) == len(profile.zones):
            return [Finding(Reason("check_profile_without_us", named), "stops_rates", profile.id, link)]
        if without and profile.variants:
            zones = {"profile": profile.name, "zones": names(without, 10)}
            return [Finding(Reason("check_zone_without_us", zones), "stops_rates", profile.id, link)]
        return []

    def _judge_sums(self, profiles: Sequence[Profile], link: str) -> list[Finding]:
        charging = [each for each in profiles if each.variants and any(zone.has_prices for zone in each.zones)]
        if len(charging) < 2:
            return []
        others = [each for each in charging if not each.is_default] or charging[1:]
        params = {
            "profiles": names([each.name for each in charging], 10),
            "products": names([title for each in others for title in each.products]),
        }
        return [Finding(Reason("check_profiles_add_up", params), "costs_money", link=link)]

    # --- goods, places, messages --------------------------------------------------------------------------------------

    async def weights(self) -> list[Finding]:
        """Goods without a weight: nobody can name a price for them, or one is assumed."""
        found = await looking.read_weightless(self._api)
        if not found.names:
            return []
        params: dict[str, Param] = {
            "count": len(found.names),
            "looked_at": found.looked_at,
            "products": names(found.names),
        }
        link = f"{self._admin}/products"
        assumed = self._asked.settings.default_item_weight_g
        if assumed is not None:
            return [Finding(Reason("check_weight_assumed", params | {"grams": assumed}), "look", link=link)]
        return [Finding(Reason("check_weight_missing", params), "stops_rates", link=link)]

    async def locations(self) -> list[Finding]:
        """See `judge_locations`."""
        named = self._asked.settings.default_location
        return judge_locations(await self._store.locations(), named, f"{self._admin}/settings/locations")

    async def webhooks(self) -> list[Finding]:
        """Whether every topic comes to us, and holds what we read."""
        pages = self._api.pages(queries.SUBSCRIPTIONS, {}, lambda data: data["webhookSubscriptions"])
        found = [node async for node in pages]
        missing, elsewhere, thin = [], [], []
        there = ""
        for topic, fields in SUBSCRIBED.items():
            same = [node for node in found if node["topic"] == topic_enum(topic)]
            right = next((node for node in same if node["uri"] == self._asked.callbacks.hooks), None)
            if not same:
                missing.append(topic)
            elif right is None:
                elsewhere.append(topic)
                there = _place(str(same[0]["uri"]))
            elif right["includeFields"] and not set(fields) <= set(right["includeFields"]):
                thin.append(topic)
        said: list[Reason] = []
        if missing:
            said.append(Reason("check_webhook_missing", {"topics": names(missing, 5)}))
        if elsewhere:
            said.append(Reason("check_webhook_elsewhere", {"topics": names(elsewhere, 5), "there": there}))
        if thin:
            said.append(Reason("check_webhook_thin", {"topics": names(thin, 5)}))
        return [Finding(reason, "costs_money") for reason in said]

    async def chosen(self) -> list[Finding]:
        """Paid orders whose shipping price is not ours, against the price questions of the same days."""
        since = self._asked.clock.now() - timedelta(days=3)
        own_rates = {name for profile in await self._profiles() for zone in profile.zones for name in zone.own_rates}
        by_day = await orders_of_others(self._api, since, self._store.settings.service_name, own_rates)
        if not by_day:
            return []
        calls = await self._asked.calls_by_day()
        days = ", ".join(f"{day.isoformat()}: {count}" for day, count in sorted(by_day.items()))
        asked = sum(calls.get(day, 0) for day in by_day)
        params: dict[str, Param] = {"count": sum(by_day.values()), "days": days, "asked": asked}
        return [Finding(Reason("check_backup_used", params), "costs_money", link=f"{self._admin}/orders")]

    async def clock(self) -> list[Finding]:
        """Our clock against Shopify's. Raises OutgoingError if Shopify cannot be asked."""
        answer = await self._asked.outgoing.request("HEAD", f"{self._store.settings.base}/", deadline_s=_ASK_S)
        theirs = _http_date(answer.headers)
        if theirs is None or abs(self._asked.clock.now() - theirs) <= _SKEW:
            return []
        off = self._asked.clock.now() - theirs
        params: dict[str, Param] = {"seconds": abs(int(off.total_seconds())), "who": "Shopify"}
        reason = Reason("check_clock_ahead", params) if off > timedelta() else Reason("check_clock_behind", params)
        return [Finding(reason, "costs_money")]


def _place(url: str) -> str:
    """Where an address leads, without its path, which holds a token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else "-"


def _http_date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
