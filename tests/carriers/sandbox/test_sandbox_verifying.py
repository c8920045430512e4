"""The sandbox carrier's list of addresses follows its rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from carriers.address import Address
from carriers.errors import Unavailable
from carriers.sandbox import SandboxCarrier, SandboxSettings
from carriers.verification import verifier_of
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

HERE = Address("AT", "1010", "9", "Wien", "Stephansplatz 10", name="Sample Buyer")


@pytest.fixture
def sandbox(tmp_path: Path, clock: FrozenClock) -> SandboxCarrier:
    return SandboxCarrier(SandboxSettings(path=tmp_path / "books", secret=SecretStr("sixteen characters")), clock)


@pytest.mark.parametrize(
    ("street", "deliverable", "known"),
    [
        ("Stephansplatz 10", True, "Stephansplatz 10"),
        ("Stephansplatz 0", True, "Stephansplatz 1"),
        ("nowhere Lane 3", False, None),
    ],
)
async def test_a_street_is_found_corrected_or_not_there(
    sandbox: SandboxCarrier, street: str, deliverable: bool, known: str | None
) -> None:
    verifier = verifier_of(sandbox)
    assert verifier is not None
    found = await verifier.verify(replace(HERE, street1=street))
    assert found.deliverable == deliverable
    assert (None if found.corrected is None else found.corrected.street1) == known


async def test_a_carrier_that_plays_dead_cannot_be_asked(sandbox: SandboxCarrier) -> None:
    verifier = verifier_of(sandbox)
    assert verifier is not None
    with pytest.raises(Unavailable):
        await verifier.verify(replace(HERE, city="SANDBOX-DOWN"))
