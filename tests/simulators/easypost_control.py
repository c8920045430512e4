"""A test's hand on an EasyPost simulator, in this process or in another."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.simulators.easypost_truth import Body


class EasyPostControl:
    """A test's hand on a simulator, wherever it runs."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def fault(self, call: str, kind: str, times: int = 1, **values: Any) -> None:
        """Play a fault for the next `times` calls of that name (see CALLS and `easypost_faults.Kind`)."""
        self._ask("POST", "/_sim/faults", [{"call": call, "kind": kind, "times": times, **values}])

    def user(self, **values: Any) -> None:
        """Set fields of the account's owner, such as `balance`."""
        self._ask("POST", "/_sim/user", values)

    def forget_faults(self) -> None:
        """Play no fault any more."""
        self._ask("DELETE", "/_sim/faults")

    def reset(self) -> None:
        """Forget everything that was made, and the faults."""
        self._ask("POST", "/_sim/reset")

    def state(self) -> Body:
        """Counts and purchases."""
        answer: Body = self._ask("GET", "/_sim/state")
        return answer

    def scan(self, key: str, *scans: Body, event_id: str | None = None, **changes: Any) -> bytes:
        """Add scans to the parcel of a tracker, tracking code, shipment or reference; the raw delivery of the news."""
        asked = {"key": key, "scans": list(scans), "event_id": event_id, "changes": changes}
        return str(self._ask("POST", "/_sim/scans", asked)["body"]).encode()

    def scan_and_post(self, key: str, *scans: Body, url: str, secret: str) -> int:
        """Add scans and have the simulator post the signed news to `url`; the status that it got."""
        asked = {"key": key, "scans": list(scans), "url": url, "secret": secret}
        return int(self._ask("POST", "/_sim/scans", asked)["answers"][0])

    def change_shipment(self, shipment_id: str, **values: Any) -> None:
        """Set fields of a shipment."""
        self._ask("POST", f"/_sim/shipments/{shipment_id}", values)

    def shipment(self, shipment_id: str) -> tuple[Body, Body]:
        """A shipment as it is kept, and as it was asked for."""
        kept: Body = self._ask("POST", f"/_sim/shipments/{shipment_id}", {})
        asked: Body = self._ask("GET", f"/_sim/shipments/{shipment_id}/asked")
        return kept, asked

    def _ask(self, method: str, path: str, values: Any = None) -> Any:
        with httpx2.Client(trust_env=False, verify=False, timeout=10) as client:
            answer = client.request(method, self.base_url + path, json=values)
        answer.raise_for_status()
        return answer.json()
