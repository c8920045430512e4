"""A parcel's steps and its carrier's name in Shopify's words. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from carriers.tracking import TrackingStatus
from connector.store import StoreEventRequest

# FulfillmentEventStatus, Admin API 2026-10. RETURNING_TO_SENDER exists in the unstable version only, so a parcel that
# comes back is a failure here, with the carrier's message beside it.
_STATUSES: Final = {
    TrackingStatus.LABEL_MADE: "LABEL_PURCHASED",
    TrackingStatus.IN_TRANSIT: "IN_TRANSIT",
    TrackingStatus.DELAYED: "DELAYED",
    TrackingStatus.OUT_FOR_DELIVERY: "OUT_FOR_DELIVERY",
    TrackingStatus.ATTEMPTED: "ATTEMPTED_DELIVERY",
    TrackingStatus.AVAILABLE_FOR_PICKUP: "READY_FOR_PICKUP",
    TrackingStatus.DELIVERED: "DELIVERED",
    TrackingStatus.RETURNING: "FAILURE",
    TrackingStatus.FAILED: "FAILURE",
}

UNSHOWN: Final = frozenset(TrackingStatus) - _STATUSES.keys()
"""Statuses that Shopify's timeline has no word for (unknown, cancelled): never sent, and taken as shown."""

# Shopify's exact spelling (FulfillmentTrackingInfo.company, 2026-10), by the carrier's name as carriers and EasyPost
# write it, in small letters and digits only. EasyPost's account kinds (UPSDAP, FedExDefault, LasershipV2) included.
_COMPANIES: Final = {
    "amazonshipping": "Amazon",
    "anpost": "An Post",
    "apc": "APC",
    "asendia": "Asendia USA",
    "asendiausa": "Asendia USA",
    "australiapost": "Australia Post",
    "bpost": "BPost",
    "bring": "Bring",
    "canadapost": "Canada Post",
    "canpar": "Canpar",
    "cdllastmilesolutions": "CDL Last Mile",
    "chronopost": "Chronopost",
    "colissimo": "Colissimo",
    "correos": "Correos",
    "couriersplease": "Couriers Please",
    "deutschepost": "Deutsche Post",
    "dhl": "DHL Express",
    "dhlecommerce": "DHL eCommerce",
    "dhlecommerceasia": "DHL eCommerce Asia",
    "dhlecommercesolutions": "DHL eCommerce",
    "dhlecs": "DHL eCommerce",
    "dhlexpress": "DHL Express",
    "dhlpaket": "DHL",
    "dpd": "DPD",
    "dpdnl": "DPD",
    "dpduk": "DPD UK",
    "estes": "Estes",
    "evri": "Evri",
    "fastway": "Fastway",
    "fedex": "FedEx",
    "fedexdefault": "FedEx",
    "fedexgroundeconomy": "FedEx",
    "fedexsmartpost": "FedEx",
    "gls": "GLS",
    "hermes": "Hermes",
    "inpost": "Inpost",
    "interlinkexpress": "DPD Local",
    "intelcom": "Intelcom",
    "jppost": "Japan Post (EN)",
    "kuronekoyamato": "Yamato (EN)",
    "laposte": "La Poste Colissimo",
    "lasership": "Lasership",
    "lasershipv2": "Lasership",
    "loomisexpress": "Loomis",
    "lso": "LSO",
    "mondialrelay": "Mondial Relay",
    "newzealandpost": "New Zealand Post",
    "ontrac": "OnTrac",
    "ontracv3": "OnTrac",
    "packeta": "Packeta",
    "pandion": "Pandion",
    "parcelforce": "Parcelforce",
    "posteitaliane": "Poste Italiane",
    "postnl": "PostNL",
    "purolator": "Purolator",
    "royalmail": "Royal Mail",
    "royalmailv3": "Royal Mail",
    "sendle": "Sendle",
    "seur": "SEUR",
    "sfexpress": "SF Express",
    "singaporepost": "Singapore Post",
    "startrack": "StarTrack",
    "swisspost": "Swiss Post",
    "tforce": "TForce Final Mile",
    "tnt": "TNT",
    "tollipec": "Toll IPEC",
    "uds": "United Delivery Service",
    "ups": "UPS",
    "upsdap": "UPS",
    "upsmailinnovations": "UPS",
    "usps": "USPS",
    "yodel": "Yodel",
    "yunexpress": "YunExpress",
}


def status_of(status: TrackingStatus) -> str | None:
    """Shopify's word for a status; None for those in `UNSHOWN`."""
    return _STATUSES.get(status)


def company_of(carrier: str) -> str:
    """Shopify's spelling of a carrier that it knows, any other name as it is (the tracking URL is always sent)."""
    return _COMPANIES.get(re.sub(r"[^a-z0-9]", "", carrier.lower()), carrier)


def event_input(request: StoreEventRequest, status: str) -> dict[str, Any]:
    """A `FulfillmentEventInput`; what is not known is left out."""
    given = {
        "message": request.message,
        "city": request.city,
        "province": request.province,
        "country": request.country,
        "zip": request.postal_code,
        "estimatedDeliveryAt": moment(request.estimated_delivery) if request.estimated_delivery else "",
    }
    known = {name: value for name, value in given.items() if value}
    return {"fulfillmentId": request.fulfilment_id, "status": status, "happenedAt": moment(request.at)} | known


def moment(at: datetime) -> str:
    """A time as Shopify writes it: whole seconds in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def same_step(node: dict[str, Any], status: str, at: datetime) -> bool:
    """Whether an event on Shopify's timeline is this step; Shopify keeps whole seconds."""
    if node.get("status") != status:
        return False
    try:
        shown = datetime.fromisoformat(str(node.get("happenedAt")))
    except ValueError:
        return False
    return shown.tzinfo is not None and moment(shown) == moment(at)
