"""What the simulated EasyPost knows: addresses, parcels, shipments, purchases, refunds. No HTTP here."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.simulators.easypost_customs import fault_of, invoice, needs_declaration, why_not_bought
from tests.simulators.easypost_faults import Fault
from tests.simulators.easypost_labels import MEDIA_TYPES
from tests.simulators.easypost_truth import AccountSet, Body, Truth

RATE_ERROR = "rate_error"

UNDELIVERABLE = "UNDELIVERABLE 1"
"""The street to which this simulator sells no label, so that a test can choose which purchases are refused."""


class Refusal(Exception):
    """An error answer in EasyPost's form."""

    def __init__(self, status: int, code: str, message: str, errors: list[Any] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors or []


def not_found() -> Refusal:
    """The answer for an id that this key does not reach."""
    return Refusal(404, "NOT_FOUND", "The requested resource could not be found.")


def new_id(prefix: str) -> str:
    """An id in EasyPost's form."""
    return f"{prefix}_{uuid.uuid4().hex}"


def timestamp() -> str:
    """Now, as EasyPost writes times."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class World:
    """Everything that was made, by id; each object carries its mode, and keys see their own mode only."""

    truth: Truth
    accounts: AccountSet = "one"
    random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 (an order of rates, no secret)
    objects: dict[str, Body] = field(default_factory=dict)
    shipments: list[str] = field(default_factory=list)
    requests: dict[str, Body] = field(default_factory=dict)
    buying: set[str] = field(default_factory=set)
    purchases: list[Body] = field(default_factory=list)
    refused_purchases: Counter[str] = field(default_factory=Counter)
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    refund_status: str = "submitted"

    def get(self, object_id: str, mode: str) -> Body:
        """An object by id."""
        found = self.objects.get(object_id)
        if found is None or found.get("mode", mode) != mode:
            raise not_found()
        return found

    def find_shipment(self, handle: str, mode: str) -> Body:
        """A shipment by id or by reference (the newest one wins)."""
        for shipment_id in reversed(self.shipments):
            shipment = self.objects[shipment_id]
            if shipment["mode"] == mode and handle in {shipment["id"], shipment["reference"]}:
                return shipment
        raise not_found()

    # --- addresses and parcels ---

    def make_address(self, values: Body, mode: str) -> Body:
        """Keep an address, or find it if an id is given."""
        if "id" in values:
            return self.get(values["id"], mode)
        return self._keep("adr", self.truth.answer("address", "address_create"), values, mode)

    def verify_address(self, values: Body, mode: str) -> Body:
        """As recorded: in capitals, street and flat in one line; what was not found then is not found now."""
        failed = self.truth.exchange("address", "address_create_verify", 1)
        if values.get("street1", "").casefold() == failed.request["address"]["street1"].casefold():
            made = self._keep("adr", failed.response, values, mode)
            return made | {"verifications": failed.response["verifications"]}
        street = " ".join(filter(None, (values.get("street1", ""), values.get("street2", ""))))
        known = {key: value.upper() if isinstance(value, str) else value for key, value in values.items()}
        template = self.truth.answer("address", "address_create_verify_strict")
        made = self._keep("adr", template, known | {"street1": street.upper(), "street2": ""}, mode)
        return made | {"verifications": template["verifications"]}

    def make_parcel(self, values: Body, mode: str) -> Body:
        """Keep a parcel, or find it if an id is given; numbers become floats as in the recordings."""
        if "id" in values:
            return self.get(values["id"], mode)
        if not values.get("weight") or float(values["weight"]) <= 0:
            error = {"field": "weight", "message": "must be greater than 0"}
            raise Refusal(422, "PARCEL.PARAMETERS.INVALID", "Invalid parameters.", [error])
        sizes = {k: float(values[k]) for k in ("length", "width", "height", "weight") if values.get(k) is not None}
        made = self.truth.answer("parcel", "parcel_create") | {"length": None, "width": None, "height": None}
        return self._keep("prcl", made, {"predefined_package": values.get("predefined_package")} | sizes, mode)

    def make_customs(self, values: Body, mode: str) -> Body:
        """Keep a customs declaration with its items."""
        made = self.truth.answer("shipment", "shipment_create")["customs_info"]
        line = made["customs_items"][0] | {"origin_country": None, "hs_tariff_number": None}
        made |= {"eel_pfc": None, "customs_signer": None, "customs_certify": False, "contents_explanation": None}
        items = [self._customs_item(dict(line), item, mode) for item in values.get("customs_items") or []]
        kept = self._keep("cstinfo", made, {k: v for k, v in values.items() if k != "customs_items"}, mode)
        kept["customs_items"] = items
        return kept

    def _customs_item(self, line: Body, values: Body, mode: str) -> Body:
        given = values | {"value": str(values.get("value")), "weight": float(values.get("weight") or 0)}
        later = {name: None for name in ("manufacturer_product_id", "standardized_product_id") if name in values}
        return self._keep("cstitem", line | {"code": None, "currency": None} | later, given, mode)

    def _keep(self, prefix: str, template: Body, values: Body, mode: str) -> Body:
        now = timestamp()
        known = {key: value for key, value in values.items() if key in template and key != "id"}
        made: Body = template | dict.fromkeys(set(template) & {"company", "name", "street2", "hs_tariff_number"})
        made |= known | {"id": new_id(prefix), "mode": mode, "created_at": now, "updated_at": now}
        self.objects[made["id"]] = made
        return made

    # --- shipments ---

    def resolve(self, values: Body, mode: str) -> Body:
        """The request with ids of addresses and of the parcel replaced by what they stand for."""
        resolved = dict(values)
        for key in ("from_address", "to_address", "parcel"):
            if isinstance(values.get(key), dict) and "id" in values[key]:
                resolved[key] = self.get(values[key]["id"], mode)
        return resolved

    def rate(self, values: Body, mode: str, fault: Fault | None) -> tuple[list[Body], list[Body]]:
        """Rates without ids, in an order of their own as in the recordings, and messages."""
        if not values.get("to_address") or not values.get("from_address") or not values.get("parcel"):
            blank = {"field": "shipment", "message": "cannot be blank"}
            raise Refusal(422, "PARAMETER.REQUIRED", "Missing required parameter.", [blank])
        rates, messages = self.truth.rates(self.resolve(values, mode), self.accounts)
        for rate in rates:
            rate["mode"] = mode
        self.random.shuffle(rates)
        return _spoil(rates, messages, fault)

    def stateless(self, values: Body, mode: str, fault: Fault | None) -> Body:
        """The answer of /beta/rates; nothing is kept."""
        rates, messages = self.rate(values, mode, fault)
        answer: Body = self.truth.answer("stateless_rates", "beta_retrieve_stateless_rates")
        for end in ("from_address", "to_address"):
            answer[end] = {"object": "Address"} | self.resolve(values, mode)[end]
        parcel = self.resolve(values, mode)["parcel"]
        numbers = {k: float(v) if isinstance(v, int) else v for k, v in parcel.items()}
        return answer | {"rates": rates, "messages": messages, "parcel": {"object": "Parcel"} | numbers}

    def create(self, values: Body, mode: str, fault: Fault | None = None) -> Body:
        """A shipment that can be bought."""
        wrong = fault_of(values)
        if wrong is not None:
            code, field_, message = wrong
            raise Refusal(422, code, "Invalid parameters.", [{"field": field_, "message": message}])
        rates, messages = self.rate(values, mode, fault)
        shipment: Body = self.truth.answer("shipment", "shipment_create")
        now = timestamp()
        shipment |= {"id": new_id("shp"), "created_at": now, "updated_at": now, "mode": mode, "messages": messages}
        shipment["reference"] = values.get("reference") or None
        shipment["is_return"] = bool(values.get("is_return"))
        shipment["options"] = (values.get("options") or {}) | {
            "currency": (values.get("options") or {}).get("currency", "USD"),
            "payment": {"type": "SENDER"},
            "date_advance": 0,
        }
        shipment["from_address"] = self.make_address(values["from_address"], mode)
        shipment["to_address"] = self.make_address(values["to_address"], mode)
        shipment["return_address"] = shipment["from_address"]
        shipment["buyer_address"] = shipment["to_address"]
        shipment["parcel"] = self.make_parcel(values["parcel"], mode)
        shipment["customs_info"] = self.make_customs(values["customs_info"], mode) if _given(values) else None
        if values.get("tax_identifiers"):
            shipment["tax_identifiers"] = [tax | {"tax_id": "HIDDEN"} for tax in values["tax_identifiers"]]
        shipment["rates"] = self._with_ids(rates, shipment["id"])
        self.objects[shipment["id"]] = shipment
        self.requests[shipment["id"]] = values
        self.shipments.append(shipment["id"])
        return shipment

    def rerate(self, shipment: Body, fault: Fault | None = None) -> Body:
        """New prices with new ids; the old ids are gone."""
        rates, shipment["messages"] = self.rate(self.requests[shipment["id"]], shipment["mode"], fault)
        shipment["rates"] = self._with_ids(rates, shipment["id"])
        return {"rates": shipment["rates"]}

    def _with_ids(self, rates: list[Body], shipment_id: str) -> list[Body]:
        now = timestamp()
        made = [
            {"id": new_id("rate")} | rate | {"created_at": now, "updated_at": now, "shipment_id": shipment_id}
            for rate in rates
        ]
        self.objects |= {rate["id"]: rate for rate in made}
        return made

    # --- buying ---

    def begin(self, shipment: Body, rate_id: str) -> Body:
        """Check a purchase and mark it as under way; gives the rate to book. Always followed by `book`."""
        if shipment["postage_label"] is not None:
            raise self._no_sale(shipment, 422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
        if shipment["id"] in self.buying:
            raise self._no_sale(shipment, 409, "SHIPMENT.PURCHASE.IN_PROGRESS", "A purchase is already in progress.")
        rate: Body | None = next((rate for rate in shipment["rates"] if rate["id"] == rate_id), None)
        if rate is None:
            raise self._no_sale(shipment, 422, "SHIPMENT.MISSING_RATE", "The rate does not belong to the shipment.")
        if (shipment["to_address"].get("street1") or "").upper() == UNDELIVERABLE:
            raise self._no_sale(shipment, 422, "SHIPMENT.POSTAGE.FAILURE", "The address is undeliverable.")
        wrong = why_not_bought(shipment, rate["carrier"])
        if wrong is not None:
            raise self._no_sale(shipment, 422, wrong[0], f"{wrong[1]} {wrong[2]}.")
        self.buying.add(shipment["id"])
        return rate

    def book(self, shipment: Body, rate: Body, base_url: str, insurance: str | None, fault: Fault | None) -> Body:
        """The moment in which money is spent."""
        self.buying.discard(shipment["id"])
        now = timestamp()
        rate = _dearer(rate, fault)
        template = self.truth.answer("shipment", "shipment_buy", 1)
        code = f"94001002083{len(self.purchases):04d}{uuid.uuid4().int % 10**7:07d}"
        tracker = template["tracker"] | {
            "id": new_id("trk"),
            "tracking_code": code,
            "shipment_id": shipment["id"],
            "carrier": rate["carrier"],
            "mode": shipment["mode"],
            "created_at": now,
            "updated_at": now,
        }
        self.objects[tracker["id"]] = tracker
        label_format = (shipment["options"].get("label_format") or "PNG").upper()
        shipment |= {
            "tracking_code": code,
            "selected_rate": rate,
            "tracker": tracker,
            "postage_label": self._label(template["postage_label"], shipment["id"], label_format, base_url),
            "fees": [template["fees"][0], template["fees"][1] | {"amount": f"{rate['rate']}000"}],
            "updated_at": now,
        }
        if shipment["to_address"]["country"] == "US":  # Addresses within the US are verified when a label is bought.
            verified = {"verifications": template["to_address"]["verifications"]}
            shipment["to_address"] = shipment["buyer_address"] = shipment["to_address"] | verified
        if needs_declaration(shipment):
            file_format = shipment["options"].get("commercial_invoice_format") or "PDF"
            form = self.truth.answer("shipment", "shipment_generate_form", 1)["forms"][0] | {"id": new_id("form")}
            url = self._file(shipment["id"], file_format, base_url)
            shipment["forms"] = [invoice(shipment, form, url, now)]
        if insurance:
            self.insure(shipment, insurance)
        self.purchases.append(
            {"shipment_id": shipment["id"], "reference": shipment["reference"], "tracking_code": code, "at": now}
            | {key: rate[key] for key in ("carrier_account_id", "carrier", "service", "rate", "currency", "mode")}
        )
        return shipment

    def insure(self, shipment: Body, amount: str) -> Body:
        """Insure a bought shipment for that many dollars."""
        shipment["insurance"] = f"{float(amount):.2f}"
        fee = {"object": "Fee", "type": "InsuranceFee", "amount": "1.00000", "charged": True, "refunded": False}
        shipment["fees"] = [*shipment["fees"], fee]
        return shipment

    def convert(self, shipment: Body, file_format: str, base_url: str) -> Body:
        """The label in one more format; only a PNG can be converted."""
        label = shipment["postage_label"]
        if label is None or label["label_file_type"] != MEDIA_TYPES["PNG"]:
            raise Refusal(422, "SHIPMENT.POSTAGE.FORMAT_UNAVAILABLE", "The format is not available.")
        label[f"label_{file_format.lower()}_url"] = self._file(shipment["id"], file_format.upper(), base_url)
        return shipment

    def refund(self, shipment: Body) -> Body:
        """Ask the money back; a second time it is refused."""
        if shipment["postage_label"] is None:
            raise Refusal(422, "SHIPMENT.POSTAGE.REQUIRED", "The shipment has no postage to refund.")
        if shipment["refund_status"] is not None:
            raise Refusal(422, "SHIPMENT.REFUND.UNAVAILABLE", "A refund was already requested.")
        by_carrier = shipment["selected_rate"]["billing_type"] == "carrier"
        shipment["refund_status"] = "not_applicable" if by_carrier else self.refund_status
        return shipment

    def _label(self, template: Body, shipment_id: str, label_format: str, base_url: str) -> Body:
        now = timestamp()
        made = template | {"id": new_id("pl"), "created_at": now, "updated_at": now, "label_date": now}
        url = self._file(shipment_id, label_format, base_url)
        return made | {"label_file_type": MEDIA_TYPES[label_format], "label_url": url}

    def _file(self, shipment_id: str, label_format: str, base_url: str) -> str:
        name = f"{uuid.uuid4().hex}.{label_format.lower()}"
        self.files[name] = (label_format, shipment_id)
        return f"{base_url}/files/postage_label/{name}"

    def _no_sale(self, shipment: Body, status: int, code: str, message: str) -> Refusal:
        self.refused_purchases[shipment["id"]] += 1
        return Refusal(status, code, message)

    # --- what tests ask ---

    def summary(self) -> Body:
        """Counts and purchases, for tests."""
        bought = {purchase["shipment_id"] for purchase in self.purchases}
        return {
            "created": len(self.shipments),
            "orphans": len([one for one in self.shipments if one not in bought]),
            "purchases": self.purchases,
            "by_shipment": Counter(purchase["shipment_id"] for purchase in self.purchases),
            "by_reference": Counter(purchase["reference"] or "" for purchase in self.purchases),
            "refused_purchases": self.refused_purchases,
            "refunds": [one for one in self.shipments if self.objects[one]["refund_status"] is not None],
            "buying": sorted(self.buying),
        }


def _given(values: Body) -> bool:
    return bool(values.get("customs_info"))


def _dearer(rate: Body, fault: Fault | None) -> Body:
    if fault is None or fault.kind != "price":
        return rate
    return rate | {"rate": f"{float(rate['rate']) + fault.cents / 100:.2f}"}


def _spoil(rates: list[Body], messages: list[Body], fault: Fault | None) -> tuple[list[Body], list[Body]]:
    match fault.kind if fault else None:
        case "no_rates":
            assert fault is not None
            named = {(rate["carrier"], rate["carrier_account_id"]) for rate in rates}
            lines = [
                {"carrier": carrier, "carrier_account_id": account, "type": RATE_ERROR, "message": fault.message}
                for carrier, account in sorted(named)
            ]
            return [], messages + lines
        case "currency":
            assert fault is not None
            currencies = dict.fromkeys(("currency", "list_currency", "retail_currency"), fault.code)
            return [rate | currencies for rate in rates], messages
        case "rival":
            account = new_id("ca")
            other = {"carrier": "OnTrac", "carrier_account_id": account}
            return [rate | other | {"rate": "999.99"} for rate in rates] + rates, messages
        case "price":
            return [_dearer(rate, fault) for rate in rates], messages
        case _:
            return rates, messages
