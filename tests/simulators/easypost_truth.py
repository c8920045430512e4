"""What EasyPost was recorded to say, and the rule by which an unrecorded request is priced from it.

The rule, on purpose simple, so that a test can do the sum by hand:

* A rate request that was recorded (same JSON body) is answered with the recorded prices of that exchange.
* Any other is answered from the base recording of its account set: `one` (USPS alone, three rates) is the exchange
  `stateless_rates: beta_retrieve_stateless_rates`, `many` (USPS and three UPS accounts that offer equal services at
  equal prices, five accounts that refuse) is `shipment_multicarrier_messages: claim_service_with_parameters/retrieve`.
  Both were recorded for 15.4 oz within the United States. Each price is multiplied by
  `(100 + 15 * (pounds - 1)) / 100`, pounds being the weight in ounces / 16 rounded up and at least 1, times 3 if the
  parcel crosses a border, and rounded half up to the cent. Delivery days are kept.
* Without a destination country, or a US destination without a postal code, there are no rates, and one message.
* `carrier_accounts` in the request leaves only those accounts' rates and messages.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

AccountSet = Literal["one", "many"]
Body = dict[str, Any]

_BASE: dict[AccountSet, tuple[str, str, int]] = {
    "one": ("stateless_rates", "beta_retrieve_stateless_rates", 0),
    "many": ("shipment_multicarrier_messages", "claim_service_with_parameters/retrieve", 0),
}
_PRICES = ("rate", "list_rate", "retail_rate")
_ID = re.compile(r"[a-z]+_[0-9a-f]{16,}")


def default_reference() -> Path:
    """Where the reference data is: `WAYBILL_REFERENCE_DIR`, else beside the work tree."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "reference"
    return Path(os.environ.get("WAYBILL_REFERENCE_DIR", beside))


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer."""

    topic: str
    name: str
    seq: int
    method: str
    path: str
    status: int
    request: Any
    response: Any

    @property
    def route(self) -> str:
        """Method and path, ids left out."""
        return f"{self.method} {_ID.sub('*', self.path)}"


class Truth:
    """The recorded exchanges, read once, handed out as copies."""

    def __init__(self, reference: Path | None = None) -> None:
        self.folder = (reference or default_reference()) / "easypost"

    @cached_property
    def exchanges(self) -> list[Exchange]:
        """Every exchange of every topic, in the order of files and lines."""
        return [
            Exchange(
                path.stem,
                line["name"],
                line["seq"],
                line["method"],
                line["path"],
                line["status"],
                line.get("request_body"),
                line["response_body"],
            )
            for path in sorted((self.folder / "exchanges").glob("*.json"))
            for line in json.loads(path.read_text())
        ]

    def exchange(self, topic: str, name: str, seq: int = 0) -> Exchange:
        """One exchange by its place in the recordings."""
        return next(e for e in self.exchanges if (e.topic, e.name, e.seq) == (topic, name, seq))

    def answer(self, topic: str, name: str, seq: int = 0) -> Body:
        """A copy of a recorded answer that is an object, to fill in."""
        answer: Body = copy.deepcopy(self.exchange(topic, name, seq).response)
        return answer

    def answers(self, topic: str, name: str, seq: int = 0) -> list[Body]:
        """A copy of a recorded answer that is a list."""
        answer: list[Body] = copy.deepcopy(self.exchange(topic, name, seq).response)
        return answer

    def webhook_body(self) -> Body:
        """A copy of the official tracker.updated delivery."""
        body: Body = json.loads((self.folder / "webhooks" / "v1_body.json").read_bytes())
        return body

    def tracker(self, code: str) -> Body | None:
        """The recorded tracker of a test code; of one that was never recorded, EZ1000000001's with its status."""
        for tracker in (one for exchange in self.exchanges for one in _trackers(exchange.response)):
            if tracker.get("tracking_code") == code:
                return copy.deepcopy(tracker)
        status = self.test_codes.get(code)
        if status is None:
            return None
        made = self.answer("tracker", "tracker_create")
        scan = made["tracking_details"][-1] | {"status": status, "message": status.replace("_", " ").title()}
        return made | {"status": status, "tracking_details": [*made["tracking_details"], scan]}

    @cached_property
    def test_codes(self) -> dict[str, str]:
        """EasyPost's test tracking codes and the status that each is in."""
        codes: dict[str, str] = json.loads((self.folder / "enums.json").read_text())["test_tracking_codes"]
        return codes

    def recorded(self, method: str, path: str, request: Any) -> Exchange | None:
        """The exchange recorded for this very request; ids in path and body may differ."""
        route, body = f"{method} {_ID.sub('*', path)}", _without_ids(request)
        same = [e for e in self.exchanges if e.route == route and _without_ids(e.request) == body]
        return next((e for e in same if e.path == path), same[0] if same else None)

    def rates(self, shipment: Body, accounts: AccountSet) -> tuple[list[Body], list[Body]]:
        """Rates (as /beta/rates shows them: without ids) and messages for the resolved body of a rate request."""
        wanted = set(shipment.get("carrier_accounts") or [])
        source, times = self._source(shipment, accounts)
        if not _rateable(shipment):
            message = {"type": "rate_error", "message": "Missing required data to get rates"}
            return [], [{"carrier": "USPS", "carrier_account_id": source["rates"][0]["carrier_account_id"]} | message]
        return (
            [_priced(rate, times) for rate in source["rates"] if _of(rate, wanted)],
            [copy.deepcopy(message) for message in source["messages"] if _of(message, wanted)],
        )

    def _source(self, shipment: Body, accounts: AccountSet) -> tuple[Body, Decimal]:
        same = [e.response for e in self._rate_exchanges if e.request == {"shipment": shipment}]
        same.sort(key=lambda answer: len(answer["rates"]), reverse=accounts == "many")
        if same:
            return same[0], Decimal(1)
        return self.exchange(*_BASE[accounts]).response, factor(shipment)

    @cached_property
    def _rate_exchanges(self) -> list[Exchange]:
        routes = ("POST /v2/shipments", "POST /beta/rates")
        return [e for e in self.exchanges if e.route in routes and e.response.get("rates")]


def factor(shipment: Body) -> Decimal:
    """What a base price is multiplied with (see the rule above)."""
    ounces = Decimal(str((shipment.get("parcel") or {}).get("weight") or 0))
    pounds = max(1, int((ounces / 16).to_integral_value(ROUND_CEILING)))
    times = Decimal(100 + 15 * (pounds - 1)) / 100
    return times * 3 if crosses_border(shipment) else times


def crosses_border(shipment: Body) -> bool:
    """Whether the addresses name two countries."""
    countries = {((shipment.get(end) or {}).get("country") or "US") for end in ("from_address", "to_address")}
    return len(countries) > 1


def expected_rates(
    shipment: Body, accounts: AccountSet = "one", reference: Path | None = None
) -> dict[tuple[str, str, str], Decimal]:
    """The simulator's prices for this `shipment` body, by (account, carrier, service), from the recording."""
    rates, _ = Truth(reference).rates(shipment, accounts)
    return {(r["carrier_account_id"], r["carrier"], r["service"]): Decimal(r["rate"]) for r in rates}


def _trackers(value: Any) -> Iterator[Body]:
    if isinstance(value, dict):
        if value.get("object") == "Tracker":
            yield value
        for one in value.values():
            yield from _trackers(one)
    elif isinstance(value, list):
        for one in value:
            yield from _trackers(one)


def _without_ids(body: Any) -> str:
    return _ID.sub("*", json.dumps(body or None, sort_keys=True))


def _rateable(shipment: Body) -> bool:
    to = shipment.get("to_address") or {}
    return bool(to.get("country")) and bool(to.get("zip") or to["country"] != "US")


def _of(line: Body, wanted: set[str]) -> bool:
    return not wanted or line["carrier_account_id"] in wanted


def _priced(rate: Body, times: Decimal) -> Body:
    stored = ("id", "created_at", "updated_at", "shipment_id")
    priced = {key: value for key, value in rate.items() if key not in stored}
    for key in _PRICES:
        if rate[key] is not None:
            priced[key] = str((Decimal(str(rate[key])) * times).quantize(Decimal("0.01"), ROUND_HALF_UP))
    return priced
