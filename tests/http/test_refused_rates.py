"""A price question that is refused for its signature is told to who counts them; one that is answered is not."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import pytest

from connector.http.routes import build_app
from tests.http.house import RATE_BODY, RATES_TOKEN, House, HouseStore, Shop

pytestmark = pytest.mark.anyio
PATH = f"/rates/shp_1/{RATES_TOKEN}"


@pytest.mark.parametrize(("mode", "told"), [("require", ["shp_1"]), ("prefer", [])])
async def test_only_what_is_refused_is_told(mode: str, told: list[str]) -> None:
    found: list[str] = []
    house = House(Shop(house_store=HouseStore(mode)))  # type: ignore[arg-type]
    app = build_app(replace(house.front(), rate_call_refused=found.append))
    transport = httpx2.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url="http://h") as client:
        await client.post(PATH, content=RATE_BODY, headers={"x-signature": "nonsense"})
        await client.post(f"{PATH}x", content=RATE_BODY)
    assert found == told
