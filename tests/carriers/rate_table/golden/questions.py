"""The questions of the golden cases: destinations with the zone that a person would say, weights around bounds."""

from __future__ import annotations

from collections.abc import Iterator

from tests.carriers.rate_table.golden.rules import Question

_SMALL = "900@300x200x100"

EUROPE = (
    ("Slovakia", "SK", "KI", "040 01"),
    ("Slovakia", "sk", "", "SK-04001"),
    ("Capital", "SK", "", "811 09"),
    ("Capital", "SK", "", " 82108"),
    ("Capital", "SK", "", "821-08"),
    ("Slovakia", "SK", "", "822 01"),
    ("Slovakia", "SK", "", "82 200"),
    ("Office", "SK", "BL", "81101"),
    ("Office", "SK", "", "8 1 1 0 1"),
    ("Tatras", "SK", "", "058 01"),
    ("Tatras", "SK", "", "062 01"),
    ("Tatras", "SK", "", "059 59"),
    ("Tatras", "SK", "", "059 86"),
    ("Slovakia", "SK", "", "058 00"),
    ("Slovakia", "SK", "", "062 02"),
    ("Peaks", "SK", "", "059 60"),
    ("Peaks", "SK", "", "05985"),
    ("Tyrol", "AT", "7", "6020"),
    ("Tyrol", "AT", "AT-7", ""),
    ("Austria", "AT", "9", "1010"),
    ("World", "NZ", "", "6011"),
    ("World", "BR", "SP", ""),
)
EUROPE_WEIGHTS = ("0", "1", "1000", "1001", "2000", "2001", "2250", "5000", "5001", "5500", "5501", "10000", "10001")
EUROPE_HEAVY = ("20000", "20001", "30000", "30001", "31500", "31501", "999999")
EUROPE_BOXES = (
    "100@400x300x200",
    "100@500x400x250",
    "100@501x400x250",
    "9999@1x1x1",
    "100@600x500x300",
    "500+1500+900",
)
EUROPE_DAYS = ("2026-10-31", "2026-11-01", "2026-11-19", "2026-11-20", "2026-11-30", "2026-12-01", "2026-12-24")

AMERICA = (
    ("States", "US", "CA", "90277"),
    ("States", "US", "NY", "12000-1234"),
    ("New York", "US", "NY", "10000"),
    ("New York", "US", "NY", "11999"),
    ("New York", "us", "ny", "11999-0001"),
    ("Manhattan", "US", "NY", "10001"),
    ("Manhattan", "US", "NY", "10001-1235"),
    ("Manhattan", "US", "NY", "10048-9999"),
    ("New York", "US", "NY", "10049"),
    ("Tower", "US", "NY", "10001-1234"),
    ("Tower", "US", "NY", "100011234"),
    ("Harlem", "US", "NY", "10027"),
    ("Harlem", "US", "NY", "10030-4411"),
    ("Far", "US", "HI", "96813"),
    ("Far", "US", "US-AK", "99501"),
    ("Far", "US", "PR", "00901-1234"),
)
AMERICA_WEIGHTS = ("0", "1", "227", "228", "453", "454", "455", "907", "908", "909", "9072", "9073", "22680", "22681")
AMERICA_BOXES = ("31751", "31752", "31753", "454+455", "1000@305x305x305", "1000@508x508x508", "1451@254x203x152")

CROWN = (
    ("Britain", "GB", "LS1 4AP"),
    ("Britain", "GB", "E2 8AA"),
    ("Britain", "GB", "IV30 1AA"),
    ("East", "GB", "E1 6AN"),
    ("East", "GB", "e16an"),
    ("East", "GB", "E1"),
    ("East", "GB", "E14 5AB"),
    ("East", "GB", "E14"),
    ("Britain", "GB", "E10 5AB"),
    ("East", "GB", "SW1A 2AA"),
    ("East+Palace", "GB", "SW1A"),
    ("Palace", "GB", "sw1a1aa"),
    ("Palace", "GB", "SW1A 1AA "),
    ("Britain+East+Palace", "GB", "SW1"),
    ("Britain", "GB", "SW2"),
    ("Highlands", "GB", "IV1 1AA"),
    ("Highlands", "GB", "IV28 3XX"),
    ("Britain", "GB", "IV29 3XX"),
    ("Highlands", "GB", "KW15 1AA"),
    ("Highlands", "GB", "PH20 1AA"),
    ("Britain", "GB", "PH2 0AA"),
    ("Skye", "GB", "IV51 9XX"),
    ("Highlands", "GB", "IV27"),
    ("Britain+Highlands", "GB", "IV2"),
    ("Britain+Skye", "GB", "IV5"),
    ("Ulster", "GB", "BT1 5GS"),
    ("Ulster", "GB", "BT1"),
    ("Canada", "CA", "K1A 0B1"),
    ("Canada", "CA", "K1A"),
    ("Toronto", "CA", "M5V 3L9"),
    ("Toronto", "CA", "m5v3l9"),
    ("Toronto", "CA", "M4A 1A1"),
    ("Toronto", "CA", "M4Z"),
    ("Canada", "CA", "M5A 1A1"),
    ("Dome", "CA", "M5V 1J1"),
    ("Dome+Toronto", "CA", "M5V"),
    ("North", "CA", "X0A 0H0"),
    ("North", "CA", "Y1A"),
    ("North", "CA", "V0N-1B0"),
    ("Canada", "CA", "V0N 1B1"),
    ("Canada+North", "CA", "v0n"),
)

COUNTS = (
    ("1000", "1", "4999"),
    ("1000", "3", "5000"),
    ("2000", "4", "9999"),
    ("2001", "4", "10000"),
    ("5000", "10", "0"),
    ("5001", "10", "1"),
    ("5007", "10", "1"),
    ("7340", "5", "123456"),
    ("1000", "11", "4999"),
    ("1000", "20", "4999"),
    ("1000", "21", "4999"),
    ("1000", "0", "4999"),
    ("1000", "", "4999"),
    ("1000", "1", ""),
    ("1000", "2", ""),
    ("2000", "1", "9999"),
    ("2001", "1", "9999"),
    ("10000", "1", "9999"),
    ("10001", "1", "9999"),
    ("2000", "1", "10000"),
    ("25000", "2", "100"),
    ("25001", "2", "100"),
    ("12500+12500", "2", "100"),
    ("12500+12501", "2", "100"),
    ("1000+1000", "1", "500"),
    ("2000+2001", "1", "500"),
    ("1000+1000+1000", "6", "500"),
    ("333", "2", "500"),
    ("15", "2", "500"),
    ("100@400x300x250", "1", "500"),
    ("100@400x300x100", "1", "500"),
    ("100@400x300x101", "1", "500"),
)


def questions() -> Iterator[Question]:
    """All of them; some are asked twice in other words, and kept once."""
    yield from _europe()
    yield from _america()
    for zone, country, postal in CROWN:
        for parcels in ("2000", "2001") if zone == "Britain" else ("2000",):
            yield Question("crown", zone, country, "", postal, parcels, "CAD" if country == "CA" else "GBP")
    for parcels in ("10000", "10001", "20000", "20001", "30000", "30001"):
        yield Question("crown", "Ulster", "GB", "", "BT9 5AA", parcels, "GBP")
        yield Question("crown", "East", "GB", "", "E1 6AN", parcels, "EUR")
        yield Question("crown", "Canada", "CA", "", "K1A 0B1", parcels, "USD")
        yield Question("crown", "Toronto", "CA", "", "M5V 3L9", parcels, "CAD")
    yield Question("crown", "!rate_refused", "GB", "", "", "500", "GBP")
    yield Question("crown", "!rate_refused", "CA", "ON", " - ", "500", "CAD")
    yield Question("crown", "!no_service", "FR", "", "75001", "500", "GBP")
    for parcels, items, subtotal in COUNTS:
        yield Question("counts", "Japan", "JP", "13", "100-0001", parcels, "JPY", "2026-10-15", items, subtotal)
    for day in ("2026-04-28", "2026-04-29", "2026-05-05", "2026-05-06"):
        yield Question("counts", "Japan", "JP", "", "", "6001", "JPY", day, "7", "7000")


def _europe() -> Iterator[Question]:
    for zone, country, province, postal in EUROPE:
        yield Question("europe", zone, country, province, postal, _SMALL, "EUR")
    for zone, country, province, postal in (EUROPE[0], EUROPE[2], EUROPE[9], EUROPE[15], EUROPE[17], EUROPE[20]):
        for parcels in EUROPE_WEIGHTS + EUROPE_HEAVY:
            yield Question("europe", zone, country, province, postal, parcels, "EUR")
    for zone, country, province, postal in (EUROPE[0], EUROPE[2], EUROPE[7]):
        for parcels in EUROPE_BOXES:
            yield Question("europe", zone, country, province, postal, parcels, "EUR")
            yield Question("europe", zone, country, province, postal, parcels, "EUR", "2026-12-01")
    for zone, country, province, postal in (EUROPE[0], EUROPE[3], EUROPE[21]):
        for day in (*EUROPE_DAYS, "2026-12-25"):
            yield Question("europe", zone, country, province, postal, "3333", "EUR", day)
    yield Question("europe", "!rate_refused", "SK", "", "", "500", "EUR")
    yield Question("europe", "!rate_refused", "AT", "", "6020", "500", "EUR")


def _america() -> Iterator[Question]:
    for zone, country, province, postal in AMERICA:
        yield Question("america", zone, country, province, postal, "1200", "USD")
    for zone, country, province, postal in (AMERICA[0], AMERICA[2], AMERICA[5], AMERICA[13]):
        for parcels in AMERICA_WEIGHTS + AMERICA_BOXES:
            yield Question("america", zone, country, province, postal, parcels, "USD")
    for day in ("2026-12-31", "2027-01-01"):
        yield Question("america", "States", "US", "TX", "75001", "700", "USD", day)
        yield Question("america", "Far", "US", "HI", "96813", "700", "USD", day)
