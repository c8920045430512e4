"""The tracking URL is registered once at EasyPost, through its official SDK."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from carriers.easypost.settings import EasyPostSettings
from carriers.easypost.setup import set_up_hook
from carriers.errors import Misconfigured, Unavailable
from tests.simulators import easypost
from tests.simulators.easypost_control import EasyPostControl
from tests.simulators.server import serve

pytestmark = pytest.mark.anyio
URL = "https://shipping.example.com/hooks/carrier/token"


@pytest.fixture(scope="module")
def base(reference: Path) -> Iterator[str]:
    with serve(easypost.build(reference)) as url:
        yield url


def settings(base: str, **changes: Any) -> EasyPostSettings:
    given = {"api_key": "EZTKsetup", "webhook_secret": "a secret", "api_base": base} | changes
    return EasyPostSettings.model_validate(given)


def registered(base: str) -> list[Any]:
    with httpx2.Client(trust_env=False) as client:
        answer = client.get(f"{base}/v2/webhooks", auth=("EZTKsetup", ""))
    return [hook["url"] for hook in answer.json()["webhooks"]]


async def test_a_url_is_registered_once_however_often_it_is_asked_for(base: str) -> None:
    EasyPostControl(base).reset()
    assert await set_up_hook(settings(base), URL) == "done"
    assert await set_up_hook(settings(base), URL) == "kept"
    assert registered(base) == [URL]


async def test_without_a_secret_nothing_is_registered(base: str) -> None:
    EasyPostControl(base).reset()
    with pytest.raises(Misconfigured, match="webhook secret"):
        await set_up_hook(settings(base, webhook_secret=""), URL)
    assert registered(base) == []


async def test_a_refused_key_is_a_matter_of_settings_and_is_not_repeated(base: str) -> None:
    with pytest.raises(Misconfigured) as error:
        await set_up_hook(settings(base, api_key="WRONGkey"), URL)
    assert "WRONGkey" not in str(error.value)


async def test_a_party_that_cannot_be_reached_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await set_up_hook(settings("http://127.0.0.1:9"), URL)
