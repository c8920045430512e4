"""Trackers, their scans, and the webhook deliveries that tell of them, in the recorded shape and signed (v1)."""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.simulators.easypost_truth import Body
from tests.simulators.easypost_world import Refusal, World, new_id, not_found, timestamp


@dataclass(frozen=True)
class Delivery:
    """One webhook delivery, ready to be posted."""

    event_id: str
    body: bytes
    result: Body

    def headers(self, secret: str) -> dict[str, str]:
        """The headers that EasyPost sends, signed with the webhook's secret."""
        return {"content-type": "application/json", "x-hmac-signature": sign(self.body, secret)}


def sign(body: bytes, secret: str) -> str:
    """Signature v1: HMAC-SHA256 over the raw body, the secret in NFKD."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return "hmac-sha256-hex=" + hmac.new(key, body, hashlib.sha256).hexdigest()


@dataclass
class Tracking:
    """The trackers of a world."""

    world: World
    events: list[Body] = field(default_factory=list)
    hooks: dict[str, tuple[Body, str]] = field(default_factory=dict)

    def create(self, values: Body, mode: str) -> tuple[Body, bool]:
        """A tracker for a code, and whether it is new; a test code tells its story at once."""
        code = values.get("tracking_code")
        for tracker in self._trackers(mode):
            if tracker["tracking_code"] == code:
                return tracker, False
        recorded = self.world.truth.tracker(str(code))
        if recorded is None:
            if mode == "test":
                raise Refusal(422, "TRACKER.INVALID_TEST_CODE", "Invalid test tracking code.")
            recorded = self.world.truth.answer("tracker", "tracker_create") | {
                "status": "unknown",
                "status_detail": "unknown",
                "tracking_details": [],
                "carrier": values.get("carrier") or "USPS",
            }
        now = timestamp()
        made: Body = recorded | {"id": new_id("trk"), "tracking_code": code, "mode": mode}
        made |= {"created_at": now, "updated_at": now}
        self.world.objects[made["id"]] = made
        return made, True

    def all(self, mode: str) -> list[Body]:
        """Newest first."""
        return list(reversed(self._trackers(mode)))

    def _trackers(self, mode: str) -> list[Body]:
        made = [one for one in self.world.objects.values() if one.get("object") == "Tracker"]
        return [one for one in made if one["mode"] == mode]

    def find(self, key: str) -> Body:
        """A tracker by its id, its tracking code, its shipment's id or reference."""
        for tracker in reversed(list(self.world.objects.values())):
            if tracker.get("object") != "Tracker":
                continue
            shipment = self.world.objects.get(tracker["shipment_id"] or "", {})
            if key in {tracker["id"], tracker["tracking_code"], tracker["shipment_id"], shipment.get("reference")}:
                return tracker
        raise not_found()

    def scan(self, key: str, scans: list[Body], event_id: str | None = None, **changes: Any) -> Delivery:
        """Add scans to a parcel's history; gives the tracker.updated delivery that tells of it.

        A scan has `status`, and may have `status_detail`, `datetime`, `message`, `city`, `state`, `zip`, `country`.
        The tracker takes over the last scan's status; `changes` are further fields of it.
        """
        tracker = self.find(key)
        before = tracker["status"]
        tracker["tracking_details"] = [*tracker["tracking_details"], *(self._detail(tracker, one) for one in scans)]
        if scans:
            tracker["status"] = scans[-1]["status"]
            tracker["status_detail"] = scans[-1].get("status_detail", "status_update")
        tracker |= {"updated_at": timestamp()} | changes
        return self.tell(tracker, before, event_id)

    def tell(self, tracker: Body, before: str, event_id: str | None = None) -> Delivery:
        """The delivery for a tracker as it is now."""
        event = self.world.truth.webhook_body()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        event |= {
            "id": event_id or new_id("evt"),
            "user_id": new_id("user"),
            "mode": tracker["mode"],
            "created_at": now,
            "updated_at": now,
            "previous_attributes": {"status": before},
            "pending_urls": [],
            "result": {key: tracker.get(key, value) for key, value in event["result"].items()},
        }
        self.events.append({key: value for key, value in event.items() if key != "result"})
        body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        return Delivery(event["id"], body, event["result"])

    def _detail(self, tracker: Body, scan: Body) -> Body:
        template: Body = self.world.truth.webhook_body()["result"]["tracking_details"][1]
        place = {key: scan.get(key) for key in ("city", "state", "country", "zip")}
        message = scan.get("message", scan["status"].replace("_", " ").title())
        return template | {
            "message": message,
            "description": message,
            "status": scan["status"],
            "status_detail": scan.get("status_detail", "status_update"),
            "datetime": scan.get("datetime") or timestamp(),
            "source": tracker["carrier"],
            "carrier_code": "",
            "tracking_location": {"object": "TrackingLocation"} | place,
        }

    # --- webhooks that were registered ---

    def hook(self, values: Body, mode: str) -> Body:
        """Register a URL."""
        made = {
            "id": new_id("hook"),
            "object": "Webhook",
            "mode": mode,
            "url": values["url"],
            "created_at": timestamp(),
            "disabled_at": None,
            "custom_headers": values.get("custom_headers") or [],
        }
        self.hooks[made["id"]] = made, values.get("webhook_secret") or ""
        return made

    def get_hook(self, hook_id: str, mode: str) -> Body:
        """A registered URL; its secret is never told."""
        made, _ = self.hooks.get(hook_id, ({}, ""))
        if made.get("mode") != mode:
            raise not_found()
        return made

    def update_hook(self, hook_id: str, values: Body, mode: str) -> Body:
        """Change secret or headers, and switch the webhook on again."""
        made = self.get_hook(hook_id, mode) | {"disabled_at": None}
        if "custom_headers" in values:
            made["custom_headers"] = values["custom_headers"]
        self.hooks[hook_id] = made, values.get("webhook_secret") or self.hooks[hook_id][1]
        return made
