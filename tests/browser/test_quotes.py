"""Quotes as a person sees them: the list, and one answer on one screen."""

from __future__ import annotations

from dataclasses import replace

from connector.store import RateCall
from tests.browser.rig import Site, Visitor
from tests.http.desk.counter import POT, a_cart


def ask(site: Site, *, name: str = "Tea pot", weighed: bool = True) -> str:
    """A checkout asks; the quote's id."""
    house = site.house

    async def answer() -> str:
        entry = house.directory.shop(site.world.shop_id)
        assert entry is not None
        line = replace(POT, name=name, quantity=2)
        if not weighed:  # A product that no other test told the catalogue of.
            line = replace(line, weight=None, sku="NO-WEIGHT", variant_id="no-weight")
        cart = a_cart((line,))
        _, row = await house.quote_desk.answer(entry.quoting, RateCall(cart))
        await house.ledger.flush()
        return row.id

    quote_id: str = site.in_loop(answer)
    return quote_id


def test_a_quote_is_found_and_explained(visitor: Visitor) -> None:
    quote_id = ask(visitor.site, name="<b>Pot</b>")
    page = visitor.open("/quotes")
    visitor.looked_at("quotes")
    page.get_by_label("Quote id").fill(quote_id)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/quotes/{quote_id}")
    assert page.inner_text("h1").startswith("The buyer saw ")
    assert page.get_by_text("<b>Pot</b>").count() > 0
    assert page.get_by_text("The buyer pays").count() > 0
    visitor.looked_at("quote")


def test_an_answer_without_prices_says_why(visitor: Visitor) -> None:
    quote_id = ask(visitor.site, weighed=False)
    page = visitor.open(f"/quotes/{quote_id}")
    assert page.inner_text("h1").startswith("The store's own backup rates were used: The weight of ")
    visitor.looked_at("quote-without-prices")
