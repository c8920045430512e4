"""The step that says what stands in for a live price, with the merchant's margin on learned ones. Pure."""

from __future__ import annotations

from carriers.money import Money
from connector.quotes.answers import KeptRate
from connector.rules.facts import Priced
from connector.shop_settings import ShopSettings
from connector.words.reason import Reason


def stood_in(priced: Priced, rate: KeptRate, settings: ShopSettings) -> Priced:
    """The price with one more step where it is an older or a learned one; a held one is as it was shown."""
    match rate.stand_in:
        case "cached":
            return priced.then(Reason("step_cached"), priced.price)
        case "learned":
            margin = priced.price.percent(settings.learned_margin_percent)
            said: dict[str, str | int | Money] = {"samples": rate.samples, "bound": f"{rate.bound_permille / 10:.1f}"}
            return priced.then(Reason("step_learned", said), priced.price + margin)
        case _:
            return priced
