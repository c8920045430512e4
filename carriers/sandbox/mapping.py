"""Between our values and the sandbox carrier's JSON, both ways. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from carriers.label import LabelFile
from carriers.parcel import Shipment
from carriers.tracking import TrackingEvent, TrackingStatus, TrackingUpdate

CARRIER = "Sandbox"

MEDIA_TYPES: dict[str, str] = {"pdf": "application/pdf", "png": "image/png"}

_STATUSES = {
    "label_made": TrackingStatus.LABEL_MADE,
    "in_transit": TrackingStatus.IN_TRANSIT,
    "out_for_delivery": TrackingStatus.OUT_FOR_DELIVERY,
    "delivered": TrackingStatus.DELIVERED,
    "delivery_missed": TrackingStatus.ATTEMPTED,
    "return_started": TrackingStatus.RETURNING,
    "return_done": TrackingStatus.RETURNING,
    "cancelled": TrackingStatus.CANCELLED,
}

_SHIPMENT: TypeAdapter[Shipment] = TypeAdapter(Shipment)


class ScanJSON(BaseModel):
    """One scan, as the carrier sends it. Unknown fields are let through."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: str
    at: AwareDatetime
    message: str = ""
    city: str = ""
    country: str = ""


class TrackingJSON(BaseModel):
    """What the carrier tells of one parcel: the whole history so far."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    tracker: str
    tracking_code: str
    scans: tuple[ScanJSON, ...]
    estimated_delivery: AwareDatetime | None = None
    test: bool = True


class EventJSON(BaseModel):
    """A webhook body. `kind` is an open set; `tracking` comes with `tracking.updated`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    kind: str
    tracking: TrackingJSON | None = None


def write_shipment(shipment: Shipment) -> bytes:
    """The shipment as the carrier keeps it; what UTF-8 cannot hold (half a surrogate pair) becomes `?`."""
    return json.dumps(_SHIPMENT.dump_python(shipment, mode="json"), ensure_ascii=False).encode("utf-8", "replace")


def read_shipment(content: bytes) -> Shipment:
    """The shipment as it was written."""
    return _SHIPMENT.validate_json(content)


def read_tracking(tracking: TrackingJSON) -> TrackingUpdate:
    """The carrier's history in our words; a status that nobody knows stays UNKNOWN, with its own word as detail."""
    return TrackingUpdate(
        tracker=tracking.tracker,
        tracking_code=tracking.tracking_code,
        carrier=CARRIER,
        events=tuple(_read_scan(scan) for scan in tracking.scans),
        estimated_delivery=tracking.estimated_delivery,
        test_mode=tracking.test,
    )


def _read_scan(scan: ScanJSON) -> TrackingEvent:
    return TrackingEvent(
        status=_STATUSES.get(scan.status, TrackingStatus.UNKNOWN),
        at=scan.at,
        detail=scan.status,
        message=scan.message,
        city=scan.city,
        country=scan.country,
    )


def write_event(event_id: str, tracking: dict[str, Any]) -> dict[str, Any]:
    """A webhook body about a parcel's news."""
    return {"id": event_id, "kind": "tracking.updated", "tracking": tracking, "test": True}


def label_url(handle: str, label_format: str) -> str:
    """Where the carrier keeps the label; `read_label_url` reads it back."""
    return f"sandbox://labels/{handle}.{label_format}"


def read_label_url(url: str) -> tuple[str, str] | None:
    """Handle and format, or None for what is no label of the sandbox."""
    head, _, name = url.rpartition("/")
    handle, _, label_format = name.partition(".")
    return (handle, label_format) if head == "sandbox://labels" and label_format in MEDIA_TYPES else None


def label_file(handle: str, label_format: Literal["pdf", "png", "zpl"]) -> LabelFile:
    """The label's document, to be fetched."""
    return LabelFile("label", MEDIA_TYPES[label_format], url=label_url(handle, label_format))


def invoice_file(handle: str) -> LabelFile:
    """The invoice for customs, to be fetched."""
    return LabelFile("customs", MEDIA_TYPES["pdf"], url=f"sandbox://invoices/{handle}.pdf")


def read_invoice_url(url: str) -> str | None:
    """The shipment whose invoice an address leads to."""
    head, _, name = url.rpartition("/")
    return name.removesuffix(".pdf") if head == "sandbox://invoices" and name.endswith(".pdf") else None


def list_url(manifest: str) -> str:
    """Where the sandbox carrier keeps a list of shipments."""
    return f"sandbox://lists/{manifest}.pdf"


def read_list_url(url: str) -> str | None:
    """The list that an address leads to."""
    head, _, name = url.rpartition("/")
    return name.removesuffix(".pdf") if head == "sandbox://lists" and name.endswith(".pdf") else None


def instant(text: str) -> datetime:
    """A moment from the carrier's books."""
    return datetime.fromisoformat(text)
