"""Scan forms, pick-ups and batches of the EasyPost simulator: bodies as recorded, with the ids of what was asked.

A scan form takes bought shipments that are on no other; the shipment names its form from then on. One of shipments from
different places fails, which its answer says with a status and a message. A pick-up is priced
as it was recorded, and is scheduled by `buy`. The strictest reading is played where nothing was recorded: each `buy`
sends a driver, also a second one for the same pick-up, and what is cancelled cannot be cancelled again.
"""

from __future__ import annotations

import copy
from secrets import token_hex
from typing import Any

from tests.simulators.easypost_truth import Body
from tests.simulators.easypost_world import Refusal, World, not_found


class Collections:
    """What leaves the merchant."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, Body] = {}
        self._forms: dict[str, list[str]] = {}
        self._bookings: list[Body] = []
        self._cancelled: list[str] = []

    def scan_form(self, values: Body, mode: str) -> Body:
        """POST /v2/scan_forms."""
        asked = values.get("scan_form") or {}
        shipments = [
            self._world.find_shipment(each["id"], mode)
            for each in asked.get("shipment") or asked.get("shipments") or []
        ]  # fmt: skip
        if not shipments or any(each["postage_label"] is None for each in shipments):
            raise Refusal(422, "SCAN_FORM.UNPURCHASED", "Unable to create a scan form for shipments without postage.")
        if any(each.get("scan_form") for each in shipments):
            raise Refusal(422, "SCAN_FORM.ALREADY_EXISTS", "A shipment is on a scan form already.")
        form = copy.deepcopy(self._recorded("scan_form", "POST", "/v2/scan_forms")) | {
            "id": f"sf_{token_hex(16)}",
            "status": "created",
            "tracking_codes": [each["tracking_code"] for each in shipments],
        }
        form["form_url"] = shipments[0]["postage_label"]["label_url"]
        if len({(each["from_address"]["zip"], each["from_address"]["country"]) for each in shipments}) > 1:
            said = "The shipments have different origins."
            return self._keep(form | {"status": "failed", "message": said, "form_url": None, "tracking_codes": []})
        for each in shipments:
            each["scan_form"] = {"id": form["id"], "object": "ScanForm"}
        self._forms[form["id"]] = [each["id"] for each in shipments]
        return self._keep(form)

    def pickup(self, values: Body, mode: str) -> Body:
        """POST /v2/pickups."""
        asked = values.get("pickup") or {}
        if not asked.get("address") or not asked.get("min_datetime") or not asked.get("max_datetime"):
            raise Refusal(422, "PARAMETER.REQUIRED", "Missing required parameter.")
        if asked.get("shipment"):
            self._world.find_shipment(asked["shipment"]["id"], mode)
        elif not asked.get("batch") or asked["batch"]["id"] not in self._made:
            raise Refusal(422, "PICKUP.SHIPMENT.REQUIRED", "A pickup needs a shipment or a batch.")
        pickup = copy.deepcopy(self._recorded("pickup", "POST", "/v2/pickups")) | {
            "id": f"pickup_{token_hex(16)}",
            "status": "unknown",
            "confirmation": None,
            "reference": asked.get("reference"),
        }
        return self._keep(pickup)

    def book(self, pickup_id: str, values: Body) -> Body:
        """POST /v2/pickups/{id}/buy."""
        pickup = self.find(pickup_id)
        if not any(
            (each["carrier"], each["service"]) == (values.get("carrier"), values.get("service"))
            for each in pickup["pickup_rates"]
        ):
            raise Refusal(422, "PICKUP.RATE.UNAVAILABLE", "This pickup rate is not available.")
        pickup |= {"status": "scheduled", "confirmation": f"WTC{int(token_hex(4), 16) % 10**8:08d}"}
        self._bookings.append({"id": pickup_id, "reference": pickup["reference"]})
        return pickup

    def cancel(self, pickup_id: str) -> Body:
        """POST /v2/pickups/{id}/cancel."""
        pickup = self.find(pickup_id)
        if pickup["status"] != "scheduled":
            raise Refusal(422, "PICKUP.CANCEL.UNAVAILABLE", "This pickup is not scheduled.")
        pickup |= {"status": "canceled"}
        self._cancelled.append(pickup_id)
        return pickup

    def batch(self, values: Body, mode: str) -> Body:
        """POST /v2/batches: bought shipments under one id."""
        asked = (values.get("batch") or {}).get("shipments") or []
        if not asked or any("id" not in each for each in asked):
            raise not_found()
        for each in asked:
            self._world.find_shipment(each["id"], mode)
        batch = copy.deepcopy(self._recorded("batch", "POST", "/v2/batches")) | {
            "id": f"batch_{token_hex(16)}",
            "num_shipments": len(asked),
        }
        return self._keep(batch)

    def summary(self) -> Body:
        """Shipments by scan form, drivers who were sent, and pick-ups that were cancelled; for tests."""
        return {"scan_forms": self._forms, "drivers": self._bookings, "drivers_cancelled": self._cancelled}

    def has(self, one: str) -> bool:
        """Whether it was made here."""
        return one in self._made

    def find(self, one: str) -> Body:
        """Anything made here."""
        if one not in self._made:
            raise not_found()
        return self._made[one]

    def _keep(self, made: Body) -> Body:
        self._made[made["id"]] = made
        return made

    def _recorded(self, book: str, method: str, path: str) -> Any:
        known = self._world.truth.exchanges
        return next(
            each.response for each in known if (each.topic, each.method, each.path) == (book, method, path)
        )  # fmt: skip
