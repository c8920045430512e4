"""Where goods leave from, as the store has it: locations without an address, and a default that is closed."""

from __future__ import annotations

from collections.abc import Sequence

from connector.checkup.finding import Finding
from connector.checkup.ours import names
from connector.store import StoreLocation
from connector.words.reason import Reason


def judge_locations(locations: Sequence[StoreLocation], named: str = "", link: str = "") -> list[Finding]:
    """`named` is the default location of the settings, by the store's id; `link` the page where places are edited."""
    active = [each for each in locations if each.active]
    if not active:
        said = names([each.name for each in locations])
        return [Finding(Reason("check_locations_closed", {"locations": said or "-"}), "stops_rates", link=link)]
    found = [
        Finding(Reason("check_location_closed", {"location": each.name}), "stops_rates", each.id, link)
        for each in locations
        if not each.active and named == each.id
    ]
    found += [
        Finding(Reason("check_location_without_address", {"location": each.name}), "stops_rates", each.id, link)
        for each in active
        if not _is_whole(each)
    ]
    return found


def _is_whole(location: StoreLocation) -> bool:
    """Whether a carrier can name a price from there: some countries have no postal codes, all have towns."""
    address = location.address
    return bool(address.country and address.city and (address.postal_code or address.street1))
