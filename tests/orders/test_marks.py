"""What rules ask for with the chosen offer: orders that are held, and wishes that a person sees to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from connector.directory import ShopEntry
from connector.orders.marks import held_by_rule, not_taken
from connector.orders.quote_of import Linked
from connector.quotes.decision import BoughtAs, DecidedOffer


def chosen(*marks: tuple[str, str], account: str = "acc_1") -> Linked:
    as_bought = BoughtAs(account_id=account, account="", carrier="Post", service="Ground", minor=700, currency="EUR")
    offer = DecidedOffer(
        code="a", name="A", minor=700, currency="EUR", source="live", bought_as=as_bought, marks=marks
    )  # fmt: skip
    return Linked(cast("Any", None), offer)


def shop(*, signature: bool) -> ShopEntry:
    connection = SimpleNamespace(capabilities=SimpleNamespace(signature=signature))
    return cast("ShopEntry", SimpleNamespace(accounts={"acc_1": SimpleNamespace(connection=connection)}))


def test_an_order_is_held_with_the_rule_s_reason_until_a_person_lets_go_of_it() -> None:
    linked = chosen(("hold", "New buyer"))
    why = held_by_rule(linked)
    assert why is not None
    assert why.say() == "Your rules hold this order: New buyer"
    assert held_by_rule(linked, [SimpleNamespace(released=["rule_hold"])]) is None
    assert held_by_rule(linked, [SimpleNamespace(released=None)]) == why


@pytest.mark.parametrize("linked", [None, chosen(), chosen(("signature", "adult"))])
def test_other_orders_are_not_held(linked: Linked | None) -> None:
    assert held_by_rule(linked) is None


def test_a_signature_that_the_carrier_does_not_take_is_put_before_a_person() -> None:
    linked = chosen(("signature", "anyone"))
    assert [each.code for each in not_taken(shop(signature=False), linked)] == ["signature_not_taken"]
    assert list(not_taken(shop(signature=True), linked)) == []
    unknown = chosen(("signature", "anyone"), account="")
    assert [each.code for each in not_taken(shop(signature=True), unknown)] == ["signature_not_taken"]


def test_insurance_is_put_before_a_person() -> None:
    (why,) = not_taken(shop(signature=True), chosen(("insurance", "100")))
    assert why.say() == "A rule asks to insure this parcel for 100 % of its goods' value."
