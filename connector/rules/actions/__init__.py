"""What a rule may do to a call's services; each kind says in one line what it does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from connector.rules.actions.action import Action, Done, Gone, Phase, Run
from connector.rules.actions.add import AddRate, HoldOrder, RequireInsurance, RequireSignature, TableRow
from connector.rules.actions.price import Discount, FixedChange, FixedPrice, Free, Handling, PercentChange, Round
from connector.rules.actions.refuse import RefuseGoods, Restriction
from connector.rules.actions.shape import DropDominated, Hide, Keep, Rename, Sort

AnyAction = Annotated[
    Free
    | FixedPrice
    | PercentChange
    | FixedChange
    | Discount
    | Round
    | Handling
    | AddRate
    | RequireSignature
    | RequireInsurance
    | HoldOrder
    | RefuseGoods
    | Hide
    | Rename
    | Sort
    | Keep
    | DropDominated,
    Field(discriminator="kind"),
]

__all__ = [
    "Action",
    "AddRate",
    "AnyAction",
    "Discount",
    "Done",
    "DropDominated",
    "FixedChange",
    "FixedPrice",
    "Free",
    "Gone",
    "Handling",
    "Hide",
    "HoldOrder",
    "Keep",
    "PercentChange",
    "Phase",
    "RefuseGoods",
    "Rename",
    "RequireInsurance",
    "RequireSignature",
    "Restriction",
    "Round",
    "Run",
    "Sort",
    "TableRow",
]
