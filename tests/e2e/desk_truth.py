"""What must be true of the packing table after all its deaths, as the simulators of carrier and store have it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.e2e.desk_stories import Errand, Table
from tests.ledger import balances


def figures(run: Table) -> dict[str, Any]:
    """Counts for people and programs."""
    carrier = run.world.easypost.state()
    return {
        "kills": sum(run.kills.values()),
        "orders": len(run.errands),
        "batches": len(run.batched),
        "purchases": len(carrier["purchases"]),
        "lists": len(carrier["scan_forms"]),
        "drivers_sent": len(carrier["drivers"]),
        "drivers_sent_home": len(carrier["drivers_cancelled"]),
        "holds_set": sum(len(_held(run, each)) for each in run.errands),
        "numbers_corrected": sum(each.kind == "typed" for each in run.errands),
        "not_ended": len(run.active),
        "sweeps_parked": run.figures()["sweeps_parked"],
    }


def violations(run: Table) -> list[str]:
    """What must not be; an empty list is the promise kept."""
    found = [f"given up: {each}" for each in run.figures()["given_up"]]
    found += [f"did not end: {each}" for each in run.active]
    for each in run.errands:
        found += [f"{each.order_id} ({each.kind}): {fault}" for fault in _faults_of(run, each)]
    return found + _faults_of_lists(run) + _faults_of_drivers(run)


def _faults_of(run: Table, each: Errand) -> list[str]:
    """What is wrong with one order: bought once or not at all, told once, held once and let go."""
    found = []
    bought, wanted = len(run.world.purchases(each.order_id)), int(each.kind != "typed")
    if bought != wanted:
        found.append(f"{bought} purchases, {wanted} wanted")
    numbers = run.number_in_store(each.order_id)
    if len(numbers) != 1:
        found.append(f"{len(numbers)} numbers in the store")
    if each.kind == "typed" and numbers != [f"{each.number}B"]:
        found.append(f"the store has {numbers}, and not the corrected number")
    held, wanted = len(_held(run, each)), int(each.kind == "no_street")
    if held != wanted:
        found.append(f"{held} holds set, {wanted} wanted")
    if run.holds(each.order_id):
        found.append("held after it left")
    return found


def _held(run: Table, each: Errand) -> list[str]:
    """Every hold that an app ever set on this order."""
    groups = run.world.shopify.order(each.order_id)["fulfillmentOrders"]
    return [hold for group in groups for hold in group.get("_held", [])]


def _faults_of_lists(run: Table) -> list[str]:
    """Each shipment is on one list at the carrier, which is the list that we have."""
    carrier = run.world.easypost.state()
    bought = {each["shipment_id"] for each in carrier["purchases"]}
    listed = Counter(shipment for form in carrier["scan_forms"].values() for shipment in form)
    found = [f"{shipment} is on {listed[shipment]} lists" for shipment in bought if listed[shipment] != 1]
    for row in run.lists():
        there = carrier["scan_forms"].get(row.handle)
        if row.state != "made" or not row.sha256:
            found.append(f"list {row.id} is {row.state}, paper {row.sha256}")
        elif there is None or sorted(there) != sorted(handle for _, handle, _ in row.labels):
            found.append(f"list {row.id} is another one at the carrier")
    if len(run.lists()) != len(carrier["scan_forms"]):
        found.append(f"{len(carrier['scan_forms'])} lists at the carrier for {len(run.lists())} of ours")
    return found


def _faults_of_drivers(run: Table) -> list[str]:
    """Each driver comes once; who was sent home does not come, and is not paid."""
    carrier = run.world.easypost.state()
    sent = Counter(each["reference"] for each in carrier["drivers"])
    home = Counter(each["reference"] for each in carrier["drivers"] if each["id"] in carrier["drivers_cancelled"])
    found = []
    owed: Counter[str] = Counter()
    for each in run.drivers:
        row = run.pickup(each.id)
        state = "cancelled" if each.goes_home else "booked"
        if (row.state, sent[each.id], home[each.id]) != (state, 1, int(each.goes_home)):
            found.append(f"driver {each}: {row.state}, sent {sent[each.id]} times, sent home {home[each.id]} times")
        owed[row.currency] += 0 if each.goes_home else row.minor
    booked = run.do(balances, run.shop.id)
    for currency, minor in owed.items():
        if booked.get(("postage:driver", currency), 0) != minor:
            found.append(f"the ledger has {booked} for drivers, {minor} {currency} are owed")
    return found
