"""EasyPost's look at an address: what was recorded is understood, and the simulator answers alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from carriers.address import Address
from carriers.carrier import Carrier
from carriers.easypost import KIND
from carriers.easypost.verifying import read
from carriers.errors import CarrierError
from carriers.verification import differing, verifier_of
from tests.carriers.easypost.conftest import settings
from tests.conftest import FrozenClock
from webhooks.outgoing import OutgoingClient

GOOD = Address(
    "US", "94107", "CA", "San Francisco", "388 Townsend St", "Apt 20", name="Jack Sparrow", phone="5555555555"
)
NOWHERE = Address("US", "00001", "ZZ", "Not A City", "000 unknown street", company="EasyPost", phone="5555555555")


def recorded(reference: Path, name: str, seq: int = 0) -> Any:
    lines = json.loads((reference / "easypost" / "exchanges" / "address.json").read_text(encoding="utf-8"))
    return next(each["response_body"] for each in lines if (each["name"], each["seq"]) == (name, seq))


def test_an_address_that_was_found_comes_back_as_easypost_writes_it(reference: Path) -> None:
    found = read(recorded(reference, "address_create_verify_strict"), GOOD, ())
    assert found.deliverable
    assert found.corrected is not None
    assert (found.corrected.street1, found.corrected.street2) == ("388 TOWNSEND ST APT 20", "")
    assert (found.corrected.postal_code, found.corrected.name) == ("94107-1670", "Jack Sparrow")
    assert differing(GOOD, found.corrected) == ()


def test_an_address_that_was_not_found_is_said_to_be_so_and_nothing_is_proposed(reference: Path) -> None:
    found = read(recorded(reference, "address_create_verify", 1), NOWHERE, ())
    assert (found.deliverable, found.corrected, found.messages) == (False, None, ("Address not found",))


def test_success_with_errors_is_no_success(reference: Path) -> None:
    """As recorded in November 2025 with a carrier named."""
    assert not read(recorded(reference, "address_create_verify_carrier"), NOWHERE, ()).deliverable


def test_nothing_looked_up_speaks_against_nothing(reference: Path) -> None:
    found = read(recorded(reference, "address_create"), GOOD, ())
    assert (found.deliverable, found.corrected) == (True, None)


def test_words_of_the_address_are_left_out_of_messages(reference: Path) -> None:
    body = recorded(reference, "address_create_verify", 1)
    body["verifications"]["delivery"]["errors"][0]["message"] = "No 000 unknown street there"
    assert read(body, NOWHERE, ("000 unknown street",)).messages == ("No … there",)


@pytest.mark.anyio
async def test_the_simulator_finds_what_exists_and_only_that(easypost: Carrier) -> None:
    verifier = verifier_of(easypost)
    assert verifier is not None
    found = await verifier.verify(GOOD)
    assert found.deliverable
    assert found.corrected is not None
    assert differing(GOOD, found.corrected) == ()
    assert not (await verifier.verify(NOWHERE)).deliverable


@pytest.mark.anyio
async def test_a_carrier_that_cannot_be_reached_says_so(outgoing: OutgoingClient, clock: FrozenClock) -> None:
    verifier = verifier_of(KIND.connect(settings("http://127.0.0.1:9"), outgoing, clock))
    assert verifier is not None
    with pytest.raises(CarrierError):
        await verifier.verify(GOOD)
