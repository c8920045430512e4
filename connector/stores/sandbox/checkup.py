"""The check-up of a pretend shop: what its platform knows of us, and its places."""

from __future__ import annotations

from collections.abc import Sequence

from connector.checkup.asked import Asked, judge_switch
from connector.checkup.finding import Check, Finding
from connector.checkup.places import judge_locations
from connector.words.reason import Reason


def checks(asked: Asked) -> Sequence[Check]:
    """Every check of a sandbox shop. It is called on this machine, by commands: no address is asked for.

    It has no pages to open, so that its domain stands where their address would.
    """

    async def service() -> list[Finding]:
        is_on = await asked.store.rates_on()
        if is_on is None:
            return [Finding(Reason("check_service_missing"), "stops_rates", link=asked.shop)]
        return judge_switch(is_on=is_on, wanted=asked.rates_on, link=asked.shop)

    async def locations() -> list[Finding]:
        return judge_locations(await asked.store.locations(), asked.settings.default_location, asked.shop)

    return [
        Check("service", Reason("checked_service"), service),
        Check("locations", Reason("checked_locations"), locations),
    ]
