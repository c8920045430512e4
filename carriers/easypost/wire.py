"""What EasyPost's JSON looks like, as far as we read it: lenient models, filled from what was recorded.

Everything but ids may be null, missing or new; fields that are not read are left alone. Amounts stay strings or exact
decimals (SmartRate gives JSON numbers). Source: EasyPost's recorded traffic of 2024 to 2026.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from carriers.errors import Garbled


def _text(value: object) -> str:
    """Text where it is text or a number; anything else counts as not given."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _object(value: object) -> object:
    return value if isinstance(value, dict | BaseModel) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


Text = Annotated[str, BeforeValidator(_text)]
Lines = Annotated[list[Any], BeforeValidator(_list)]
Whole = Annotated[int | None, BeforeValidator(_whole)]


class WireObject(BaseModel):
    """Ignores what it does not know, so that no personal data of an answer is carried along."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class WireAddressError(WireObject):
    """What was not found of an address."""

    code: Text = ""
    message: Text = ""


class WireVerification(WireObject):
    """One way of looking an address up."""

    success: bool | None = None
    errors: Lines = []


class WireVerifications(WireObject):
    """What was looked up; an empty object where nothing was."""

    delivery: WireVerification | None = None


class WireAddress(WireObject):
    """An address as EasyPost knows it."""

    street1: Text = ""
    street2: Text = ""
    city: Text = ""
    state: Text = ""
    zip: Text = ""
    country: Text = ""
    residential: bool | None = None
    verifications: Annotated[WireVerifications | None, BeforeValidator(_object)] = None


class WireRate(WireObject):
    """A price of one service. Without `id` when it comes from /beta/rates."""

    id: Text = ""
    mode: Text = ""
    carrier: str
    service: str
    carrier_account_id: Text = ""
    rate: Text
    currency: Text
    list_rate: Text = ""
    list_currency: Text = ""
    billing_type: Text = ""
    delivery_days: Whole = None
    delivery_date: Text = ""
    delivery_date_guaranteed: Annotated[bool, BeforeValidator(lambda value: value is True)] = False


class WireMode(WireObject):
    """Anything that says which mode it is of."""

    mode: Text = ""


class WireMessage(WireObject):
    """Why an account gave no rate; on some answers the message is a plain text."""

    carrier: Text = ""
    carrier_account_id: Text = ""
    type: Text = ""
    message: Text = ""


class WireLabel(WireObject):
    """The label's files; a URL is null until that format exists, and again after 180 days."""

    label_file_type: Text = ""
    label_url: Text = ""
    label_pdf_url: Text = ""
    label_zpl_url: Text = ""


class WireForm(WireObject):
    """A further document."""

    form_type: Text = ""
    form_url: Text = ""


class WireFee(WireObject):
    """A fee, in USD."""

    type: Text = ""
    amount: Text = ""
    charged: Any = None
    refunded: Any = None


class WirePlace(WireObject):
    """Where a scan happened."""

    city: Text = ""
    state: Text = ""
    country: Text = ""
    zip: Text = ""


class WireScan(WireObject):
    """One scan of a parcel."""

    status: Text = ""
    status_detail: Text = ""
    datetime: Text = ""
    message: Text = ""
    tracking_location: Annotated[WirePlace | None, BeforeValidator(_object)] = None


class WireTracker(WireObject):
    """A parcel's history so far, oldest scan first; its own `status` is what counts."""

    id: Text = ""
    mode: Text = ""
    tracking_code: Text = ""
    status: Text = ""
    status_detail: Text = ""
    carrier: Text = ""
    public_url: Text = ""
    est_delivery_date: Text = ""
    created_at: Text = ""
    updated_at: Text = ""
    shipment_id: Text = ""
    tracking_details: Lines = []


class WireShipment(WireObject):
    """A shipment, or an answer to /beta/rates, which lacks the id and all that comes after a purchase."""

    id: Text = ""
    mode: Text = ""
    reference: Text = ""
    tracking_code: Text = ""
    refund_status: Text = ""
    rates: Lines = []
    messages: Lines = []
    fees: Lines = []
    forms: Lines = []
    selected_rate: Any = None
    postage_label: Annotated[WireLabel | None, BeforeValidator(_object)] = None
    tracker: Annotated[WireTracker | None, BeforeValidator(_object)] = None


def _id_of(value: object) -> str:
    """The id of an object, or the id itself."""
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else ""


class WireScanFormOf(WireObject):
    """A shipment, as far as it says which scan form it is on."""

    id: Text = ""
    scan_form: Any = None

    @property
    def scan_form_id(self) -> str:
        """The scan form's id; empty if there is none."""
        return _id_of(self.scan_form)


class WireScanForm(WireObject):
    """A list of shipments for the carrier: status creating, created or failed."""

    id: str
    status: Text = ""
    message: Text = ""
    form_url: Text = ""
    tracking_codes: Lines = []


class WirePickup(WireObject):
    """A pick-up: status unknown (not booked), scheduled or canceled."""

    id: str
    status: Text = ""
    confirmation: Text = ""
    messages: Lines = []
    pickup_rates: Lines = []


class WireBatch(WireObject):
    """Several shipments under one id."""

    id: str


class WireEvent(WireObject):
    """A webhook's body; `result` is missing in lists of events."""

    id: str
    description: str
    mode: Text = ""
    result: Any = None


class WireError(WireObject):
    """What went wrong: a code of an open set, and a text that may be a list or an object."""

    code: Text = ""
    message: Any = None
    errors: Lines = []


Model = TypeVar("Model", bound=BaseModel)


def parse(raw: bytes) -> Any:
    """JSON with exact decimals. Raises Garbled."""
    try:
        return json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise Garbled("EasyPost's answer cannot be understood.", detail="no JSON") from error


def read(model: type[Model], value: Any) -> Model:
    """Check a JSON value against a model. Raises Garbled, naming the fields but not their values."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, line["loc"])) or "all" for line in error.errors()[:3])
        raise Garbled("EasyPost's answer cannot be understood.", detail=f"{model.__name__}: {wrong}") from None


def read_or_none(model: type[Model], value: Any) -> Model | None:
    """Like `read`, but None for what cannot be understood: one line of a list spoils nothing."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None
