"""What the sandbox carrier charges: a formula that can be checked by hand.

price of a parcel = (base + step x further half kilograms) x distance + signature, in hundredths of a unit
price of a call   = the sum over its parcels x the currency's factor, rounded half up to the currency's minor unit

    service    base   step   working days (+ 4 abroad)   up to
    Economy    3.90   0.60   5                            10 kg
    Standard   5.40   0.80   3                            30 kg
    Express   11.90   1.60   1                            30 kg

Distance: 100 % within one province, 120 % within one country, 300 % abroad. Signature: any 1.50, adult 3.00.
The first half kilogram is in the base; a side over 1500 mm is refused. The list price is 25 % above.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from carriers.address import Address
from carriers.money import Money
from carriers.parcel import Parcel, Signature


@dataclass(frozen=True, slots=True)
class Service:
    """One service; `base` and `step` in hundredths of a unit, `limit` in grams."""

    name: str
    base: int
    step: int
    days: int
    limit: int


SERVICES = (
    Service("Economy", 390, 60, 5, 10_000),
    Service("Standard", 540, 80, 3, 30_000),
    Service("Express", 1190, 160, 1, 30_000),
)

_LONGEST_MM = 1500
_ABROAD_DAYS = 4
_SIGNATURES: dict[Signature, int] = {"none": 0, "any": 150, "adult": 300}

# Round factors, so that prices look sensible in any currency. They are no exchange rates, and never change.
_FACTORS = {
    "CLP": "950",
    "CZK": "25",
    "DKK": "7",
    "HUF": "390",
    "IDR": "17000",
    "INR": "90",
    "ISK": "140",
    "JPY": "150",
    "KRW": "1400",
    "KWD": "0.3",
    "MXN": "20",
    "NOK": "11",
    "PLN": "4",
    "SEK": "11",
    "VND": "26000",
}


def distance_percent(origin: Address, destination: Address) -> int:
    """100, 120 or 300: the same province, the same country, abroad. An unknown province counts as another one."""
    if origin.country.upper() != destination.country.upper():
        return 300
    near = origin.province and origin.province.upper() == destination.province.upper()
    return 100 if near else 120


def transit_days(service: Service, origin: Address, destination: Address) -> int:
    """Working days from hand-over to delivery."""
    return service.days + (_ABROAD_DAYS if distance_percent(origin, destination) == 300 else 0)


def carries(service: Service, parcels: Iterable[Parcel]) -> bool:
    """Whether every parcel is within the service's limits."""
    return all(
        parcel.weight.grams <= service.limit
        and (parcel.size is None or max(parcel.size.length, parcel.size.width, parcel.size.height) <= _LONGEST_MM)
        for parcel in parcels
    )


def price(
    service: Service,
    origin: Address,
    destination: Address,
    parcels: Iterable[Parcel],
    currency: str,
    signature: Signature = "none",
) -> Money:
    """What the account pays for all parcels together."""
    percent = distance_percent(origin, destination)
    hundredths = Decimal(0)
    for parcel in parcels:
        halves = max(-(-parcel.weight.grams // 500), 1)
        hundredths += Decimal((service.base + service.step * (halves - 1)) * percent) / 100 + _SIGNATURES[signature]
    return Money.rounded(hundredths / 100 * Decimal(_FACTORS.get(currency, "1")), currency)
