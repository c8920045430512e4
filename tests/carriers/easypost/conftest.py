"""An EasyPost connection to a simulator of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from carriers.carrier import Carrier
from carriers.easypost import KIND
from carriers.easypost.settings import EasyPostSettings
from tests.conftest import FrozenClock
from tests.simulators.easypost import build
from tests.simulators.easypost_control import EasyPostControl
from tests.simulators.server import serve
from webhooks.outgoing import OutgoingClient


@pytest.fixture(scope="module")
def base_url(reference: Path) -> Iterator[str]:
    with serve(build(reference)) as url:
        yield url


@pytest.fixture
def control(base_url: str) -> EasyPostControl:
    """The simulator, as new."""
    control = EasyPostControl(base_url)
    control.reset()
    return control


@pytest.fixture
async def outgoing() -> AsyncIterator[OutgoingClient]:
    client = OutgoingClient(allow_private=True)
    yield client
    await client.aclose()


def settings(base_url: str, **values: object) -> EasyPostSettings:
    """Settings of a test account with short time-outs."""
    given = {"api_key": "EZTKtest", "webhook_secret": "s", "api_base": base_url, "purchase_timeout_s": 0.5}
    return EasyPostSettings.model_validate(given | values)


@pytest.fixture
def easypost(base_url: str, control: EasyPostControl, outgoing: OutgoingClient, clock: FrozenClock) -> Carrier:
    return KIND.connect(settings(base_url), outgoing, clock)
