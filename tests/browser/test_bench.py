"""The test bench in a browser: a cart is typed by keyboard, and both answers stand side by side."""

from __future__ import annotations

from tests.browser.rig import Visitor


def test_a_cart_is_tried_with_other_settings(visitor: Visitor) -> None:
    page = visitor.open("/bench")
    page.get_by_label("Cart", exact=True).fill("MUG-1, 2, 12.90, 420")
    page.get_by_label("Country").fill("AT")
    page.get_by_label("Postal code").fill("1010")
    page.get_by_label("With these settings").fill("threshold=20.00")
    page.get_by_role("button", name="Try").click()
    page.get_by_role("heading", name="As it is now").wait_for()
    assert "Free" in page.content() or "0.00" in page.content()
    visitor.looked_at("bench")
