"""Every address is documented, and nothing else is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.routing import Route

from connector.http.desk.routes import addresses as desk_addresses
from connector.http.routes import build_app
from connector.http.shopify_app import app_routes
from connector.http.storefront.doors import storefront_routes
from connector.http.storefront.house import StorefrontHouse
from tests.http.house import House

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "routes.md"


def test_the_page_lists_every_address_and_no_other(house: House) -> None:
    documented = {
        (cells[1].strip(" `"), cells[2].strip(" `"))
        for line in DOCS.read_text().splitlines()
        if len(cells := line.split("|")) > 3 and cells[2].strip().startswith("`/")
    }
    served = {
        (method, route.path)
        for route in (
            *build_app(house.front()).routes,
            *app_routes(house.front(), cast("Any", None)),
            *storefront_routes(house.front(), StorefrontHouse(cast("Any", None), cast("Any", None))),
        )
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert documented == served | desk_addresses()


@pytest.mark.anyio
async def test_a_health_address_takes_no_other_method(house: House) -> None:
    answer = await house.ask("POST", "/healthz")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.anyio
async def test_what_surrounds_the_service_is_entered_before_and_left_after_it(house: House) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        seen.append("entered")
        yield
        seen.append("left")

    app = build_app(replace(house.front(), lifespan=around))
    async with app.router.lifespan_context(app):
        assert seen == ["entered"]
    assert seen == ["entered", "left"]
