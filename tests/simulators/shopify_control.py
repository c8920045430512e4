"""A test's hand on a Shopify simulator, in this process or in another."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.simulators.shopify_world import Body


class ShopifyControl:
    """What a buyer, a merchant and Shopify's own trouble do to the shop."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    # --- buyer and merchant -------------------------------------------------------------------------------------------

    def place_order(self, **spec: Any) -> str:
        """Place an order; its gid.

        `lines`: [{title, sku, price, quantity, weight {unit, value}, variant, requires_shipping, location, method}],
        `shipping`: {code, title, price, source}, `code_lost` (the order's line is then called Shipping),
        `destination`: {first_name, address1, city, province, province_code, zip, country_code, …},
        `paid`, `test`, `tags`, `locale`, `risk`, `group_status`. Everything has a default.
        """
        return str(self._ask("POST", "/_sim/orders", spec)["id"])

    def place_orders(self, count: int, **spec: Any) -> list[str]:
        """Place equal orders in one go; their gids."""
        return [str(one) for one in self._ask("POST", "/_sim/orders", spec | {"count": count})["ids"]]

    def pay(self, order_id: str) -> None:
        self._act(order_id, "pay")

    def cancel(self, order_id: str) -> None:
        self._act(order_id, "cancel")

    def edit(self, order_id: str, **changes: Any) -> None:
        """`quantities` (by place in the first group), `destination`, `financial`, `tags`."""
        self._act(order_id, "edit", changes)

    def hold(self, order_id: str, reason: str | None = "OTHER") -> None:
        """Hold every open group, or with None release the held ones."""
        self._act(order_id, "hold", {"reason": reason})

    def order(self, order_id: str) -> Body:
        """The order as the simulator keeps it, with its groups, fulfilments and events."""
        answer: Body = self._act(order_id, "show")
        return answer

    def add_location(self, **spec: Any) -> str:
        """Add a location; its gid."""
        return str(self._ask("POST", "/_sim/locations", spec)["id"])

    def close_locations(self) -> None:
        """The merchant deactivates every location."""
        self._ask("DELETE", "/_sim/locations")

    def uninstall(self) -> None:
        """Remove the app: tokens die, app/uninstalled waits to be delivered."""
        self._ask("POST", "/_sim/uninstall")

    def settings(self, **values: Any) -> None:
        """Set fields of the world: scopes, currency, plan_allows_services, token_life_s, offset_s (of its clock), …."""
        self._ask("POST", "/_sim/settings", values)

    def save(self) -> None:
        """Remember the shop as it is now, for `go_back`."""
        self._ask("POST", "/_sim/save")

    def go_back(self) -> None:
        """Make the shop what it was when it was saved; faults are forgotten, the bucket is full."""
        self._ask("POST", "/_sim/back")

    def set_up(self, **values: Any) -> None:
        """Change how the shop is set up for shipping: `plan`, `for_developers`, `weightless`, `profiles` (the list).

        A profile: {id, name, default, products: [title], zones: [{name, without, own}]}; see `shopify_setup`.
        """
        self._ask("POST", "/_sim/setup", values)

    def bucket(self, maximum: float, restore_rate: float) -> None:
        """Fill the bucket of query points to this size."""
        self._ask("POST", "/_sim/bucket", {"maximum": maximum, "restore_rate": restore_rate})

    def drop_tokens(self) -> None:
        """Make every access token that was given invalid."""
        self._ask("DELETE", "/_sim/tokens")

    # --- checkout -----------------------------------------------------------------------------------------------------

    def checkout(self, body: bytes | Body, signed: str = "valid", url: str | None = None) -> Body:
        """Post a rate request to the active carrier service as Shopify does: status, body, and what a buyer would see.

        `shown` is "rates", "nothing" or "backup"; `signed` is valid, absent or wrong.
        """
        raw = body.decode() if isinstance(body, bytes) else None
        asked = {"raw": raw, "body": None if raw is not None else body, "signed": signed, "url": url}
        answer: Body = self._ask("POST", "/_sim/checkout", asked)
        return answer

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def deliver(
        self,
        *,
        copies: int = 1,
        seed: int | None = None,
        topics: list[str] | None = None,
        url: str | None = None,
        at_once: int = 8,
    ) -> list[int]:
        """Post what waits (of these topics), each `copies` times, shuffled by `seed`; the statuses that came back."""
        asked = {"copies": copies, "seed": seed, "topics": topics, "url": url, "at_once": at_once}
        return [int(status) for status in self._ask("POST", "/_sim/deliver", asked)["statuses"]]

    def deliveries(self) -> list[Body]:
        """What waits, as topic, url, headers and body, without posting it; the line is empty afterwards."""
        answer: list[Body] = self._ask("GET", "/_sim/deliveries")
        return answer

    def suppress(self) -> int:
        """Drop what waits; how many it was."""
        return len(self.deliveries())

    def sign(self, topic: str, body: Any, url: str = "") -> Body:
        """A signed delivery of any topic and body, for app-wide endpoints."""
        answer: Body = self._ask("POST", "/_sim/sign", {"topic": topic, "body": body, "url": url})
        return answer

    # --- faults and figures -------------------------------------------------------------------------------------------

    def fault(self, call: str, kind: str, times: int = 1, **values: Any) -> None:
        """Play a fault for the next `times` calls of an operation, of "token", or of "*"; see `shopify_faults.Kind`."""
        self._ask("POST", "/_sim/faults", [{"call": call, "kind": kind, "times": times, **values}])

    def forget_faults(self) -> None:
        """Play no fault any more."""
        self._ask("DELETE", "/_sim/faults")

    def state(self) -> Body:
        """Counts, fulfilments with their events, services and subscriptions."""
        answer: Body = self._ask("GET", "/_sim/state")
        return answer

    def _act(self, order_id: str, verb: str, values: Any = None) -> Any:
        return self._ask("POST", f"/_sim/orders/{order_id.rsplit('/', 1)[1]}/{verb}", values or {})

    def _ask(self, method: str, path: str, values: Any = None) -> Any:
        with httpx2.Client(trust_env=False, verify=False, timeout=60) as client:
            answer = client.request(method, self.base_url + path, json=values)
        answer.raise_for_status()
        return answer.json()
