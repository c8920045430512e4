"""The invoice that the sandbox carrier prints for customs, as lines of text. Pure."""

from __future__ import annotations

from carriers.money import Money
from carriers.parcel import Shipment

_WIDTH = 56


def invoice_lines(shipment: Shipment, tracking_code: str) -> list[str]:
    """What the page says; nothing for a parcel without a declaration."""
    customs = shipment.customs
    if customs is None or not customs.items:
        return []
    ends = (("FROM", shipment.origin), ("TO", shipment.destination))
    lines = ["COMMERCIAL INVOICE - VOID SAMPLE", f"{tracking_code}  {customs.reference}".strip()]
    for title, end in ends:
        town = " ".join(part for part in (end.postal_code, end.city, end.country) if part)
        lines.append(f"{title} {', '.join(part for part in (end.company or end.name, end.street1, town) if part)}")
    lines += [f"{customs.contents}  {customs.incoterm or ''}".strip(), ""]
    for item in customs.items:
        lines.append(f"{item.quantity} x {item.description}")
        lines.append(f"   {item.hs_code} {item.origin_country}  {item.weight.grams} g  {item.value}")
    total = Money(sum(item.value.minor for item in customs.items), customs.items[0].value.currency)
    grams = sum(item.weight.grams for item in customs.items)
    lines += ["", f"TOTAL  {grams} g  {total}", *(f"{each.kind} {each.number}" for each in customs.tax_ids)]
    lines += [f"If not delivered: {customs.non_delivery}", f"Signed: {customs.signer}"]
    if customs.paperless:
        lines.append("Sent to customs as data; this is your copy.")
    return [line[:_WIDTH] for line in lines]
