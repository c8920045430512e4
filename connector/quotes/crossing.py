"""What a quote says of customs on the way: what its papers lack, and what the buyer is told of duties. Pure."""

from __future__ import annotations

from carriers.money import Money
from connector.catalogue.borders import Spot, meets_customs
from connector.catalogue.customs import DeclaredLine, duties_note, kinds, missing, why_missing
from connector.quotes.decision import Decision
from connector.quotes.facts import Facts, settings_of
from connector.quotes.reduced import Place, ReducedCart

_STOPS = (".", "!", "?", "…", "։")  # noqa: RUF001 - the last one is Armenian.


def crosses(cart: ReducedCart, facts: Facts) -> bool:
    """Whether the parcels meet customs. Within a country without odd corners that is said at a glance."""
    here, there = facts.origin, cart.destination
    return here is not None and there is not None and meets_customs(_spot(here), _spot(there))


def with_customs(decision: Decision, cart: ReducedCart, facts: Facts) -> Decision:
    """The decision of a cart that crosses a border: each offer says who pays duties, the notes what the papers lack."""
    assert facts.origin is not None and cart.destination is not None  # noqa: S101, PT018 - as `crosses` said.
    settings, here, there = settings_of(facts).customs, _spot(facts.origin), _spot(cart.destination)
    if decision.outcome != "offers":
        return decision
    lines = _declared(cart)
    told = duties_note(settings, here, there, cart.goods, kinds(lines))
    gaps = missing(lines, settings, here, there)
    # An order brings codes and origins that a checkout does not tell: the label looks again before it is bought.
    notes = (*decision.notes, why_missing(gaps)) if gaps else decision.notes
    if told is None:
        return decision.but(notes=notes)
    said = told.say(cart.locale)
    offers = [each.but(description=_with_sentence(each.description, said)) for each in decision.offers]
    return decision.but(notes=notes, offers=tuple(offers))


def _with_sentence(description: str, said: str) -> str:
    """A sentence behind what is said already, which is ended as the language ends its sentences."""
    stop = said[-1:] if said.endswith(_STOPS) else "."
    return f"{description}{'' if description.endswith(_STOPS) else stop} {said}" if description else said


def _declared(cart: ReducedCart) -> list[DeclaredLine]:
    return [
        DeclaredLine(
            line.name,
            line.sku,
            line.quantity,
            Money(line.price, cart.currency),
            line.product,
            line.grams,
            key=line.variant_id,
        )
        for line in cart.lines
        if line.requires_shipping
    ]


def _spot(place: Place) -> Spot:
    return Spot(place.country, place.province, place.postal_code)
