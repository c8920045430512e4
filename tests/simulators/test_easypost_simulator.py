"""What the EasyPost simulator plays beyond the recordings: purchases, modes, faults, deliveries, its own process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulators.easypost import build
from tests.simulators.easypost_control import EasyPostControl
from tests.simulators.easypost_trackers import sign
from tests.simulators.server import serve, serve_in_child

ADDRESS = {"country": "US", "zip": "94107", "city": "San Francisco", "street1": "1 Quay"}
SHIPMENT = {"from_address": ADDRESS, "to_address": ADDRESS, "parcel": {"weight": 10}, "reference": "prc_1"}


@pytest.fixture(scope="module")
def base_url(reference: Path) -> Iterator[str]:
    with serve(build(reference)) as url:
        yield url


@pytest.fixture
def control(base_url: str) -> EasyPostControl:
    control = EasyPostControl(base_url)
    control.reset()
    return control


def client(base_url: str, key: str = "EZTKtest", timeout_s: float = 10) -> httpx2.Client:
    return httpx2.Client(base_url=base_url, trust_env=False, verify=False, auth=(key, ""), timeout=timeout_s)


def create(http: httpx2.Client, **changes: Any) -> Any:
    answer = http.post("/v2/shipments", json={"shipment": SHIPMENT | changes})
    assert answer.status_code == 201
    return answer.json()


def buy(http: httpx2.Client, shipment: Any) -> httpx2.Response:
    path = f"/v2/shipments/{shipment['id']}/buy"
    return http.post(path, json={"rate": {"id": shipment["rates"][0]["id"]}})


def _code(answer: httpx2.Response) -> str:
    code: str = answer.json()["error"]["code"]
    return code


def test_a_shipment_is_sold_once_also_to_many_at_once(base_url: str, control: EasyPostControl) -> None:
    with client(base_url) as http, ThreadPoolExecutor(4) as pool:
        shipment = create(http)
        control.fault("buy", "slow", seconds=0.3)
        first = pool.submit(buy, http, shipment)
        while shipment["id"] not in control.state()["buying"]:
            time.sleep(0.01)
        assert _code(buy(http, shipment)) == "SHIPMENT.PURCHASE.IN_PROGRESS"
        assert first.result().status_code == 200
        assert _code(buy(http, shipment)) == "SHIPMENT.POSTAGE.EXISTS"
    state = control.state()
    assert state["by_reference"] == {"prc_1": 1}
    assert state["refused_purchases"] == {shipment["id"]: 2}


def test_a_purchase_goes_on_when_its_client_has_gone(base_url: str, control: EasyPostControl) -> None:
    with client(base_url) as http:
        shipment = create(http)
    control.fault("buy", "slow", seconds=2)
    with client(base_url, timeout_s=0.1) as http, pytest.raises(httpx2.TimeoutException):
        buy(http, shipment)
    assert control.state()["purchases"] == []
    while not control.state()["purchases"]:
        time.sleep(0.02)
    assert control.state()["by_shipment"] == {shipment["id"]: 1}


def test_orphans_are_counted(base_url: str, control: EasyPostControl) -> None:
    with client(base_url) as http:
        buy(http, create(http))
        create(http)
        create(http, reference="prc_2")
    state = control.state()
    assert (state["created"], state["orphans"], len(state["purchases"])) == (3, 2, 1)


def test_a_key_sees_the_objects_of_its_own_mode_only(base_url: str) -> None:
    with client(base_url) as test, client(base_url, "EZAKlive") as live, client(base_url, "stranger") as stranger:
        shipment = create(live)
        assert shipment["mode"] == "production"
        assert {rate["mode"] for rate in shipment["rates"]} == {"production"}
        assert live.get(f"/v2/shipments/{shipment['id']}").status_code == 200
        assert test.get(f"/v2/shipments/{shipment['id']}").status_code == 404
        assert _code(stranger.get(f"/v2/shipments/{shipment['id']}")) == "UNAUTHORIZED"


def test_a_parcel_that_crosses_a_border_is_not_sold_without_customs_info(base_url: str) -> None:
    abroad = {"country": "SK", "zip": "81101", "city": "Bratislava"}
    with client(base_url) as http:
        assert _code(buy(http, create(http, to_address=abroad))) == "SHIPMENT.CUSTOMS_INFO.REQUIRED"
        unfiled = {"contents_type": "gift", "customs_items": [TEA]}
        assert _code(buy(http, create(http, to_address=abroad, customs_info=unfiled))) == "SHIPMENT.POSTAGE.FAILURE"
        declared = unfiled | {"eel_pfc": "NOEEI 30.37(a)"}
        heavy = declared | {"customs_items": [TEA | {"weight": 10.001}]}
        assert _code(buy(http, create(http, to_address=abroad, customs_info=heavy))) == "SHIPMENT.POSTAGE.FAILURE"
        bought = buy(http, create(http, to_address=abroad, customs_info=declared)).json()
        (form,) = bought["forms"]
        assert (form["form_type"], form["submitted_electronically"]) == ("commercial_invoice", True)
        assert http.get(form["form_url"]).content.startswith(b"%PDF-")


def test_usps_sells_into_the_union_only_what_says_who_sells_what_to_whom(base_url: str) -> None:
    abroad = {"country": "SK", "zip": "81101", "city": "Bratislava"}
    info = {"contents_type": "merchandise", "customs_items": [TEA], "eel_pfc": "NOEEI 30.37(a)"}
    numbered = info | {"customs_items": [TEA | {"code": "T-1", "manufacturer_product_id": "T-1"}]}
    to_people = {"commerce_type": "B2C"}
    with client(base_url) as http:

        def sold(**changes: Any) -> httpx2.Response:
            shipment = create(http, to_address=abroad, **changes)
            usps = next(rate for rate in shipment["rates"] if rate["carrier"] == "USPS")
            return buy(http, shipment | {"rates": [usps]})

        unsaid = sold(customs_info=numbered)
        assert "options.commerce_type" in unsaid.json()["error"]["message"]
        unnumbered = sold(customs_info=info, options=to_people)
        assert "customs_items.code" in unnumbered.json()["error"]["message"]
        assert sold(customs_info=info, options={"commerce_type": "b2b"}).status_code == 200
        assert sold(customs_info=numbered, options=to_people).status_code == 200


def test_within_the_union_no_declaration_is_wanted_and_no_papers_come(base_url: str) -> None:
    ends = {"from_address": {"country": "SK", "zip": "81101"}, "to_address": {"country": "AT", "zip": "1010"}}
    with client(base_url) as http:
        assert buy(http, create(http, **ends)).json()["forms"] == []


TEA: dict[str, Any] = {"description": "Tea", "quantity": 1, "value": 5, "weight": 9.5, "origin_country": "CN"}


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"contents_type": "bribes"}, "CUSTOMS_INFO.PARAMETERS.INVALID", "contents_type"),
        ({"contents_type": "other"}, "CUSTOMS_INFO.PARAMETERS.INVALID", "contents_explanation"),
        ({"customs_certify": True}, "CUSTOMS_INFO.PARAMETERS.INVALID", "customs_signer"),
        ({"non_delivery_option": "burn"}, "CUSTOMS_INFO.PARAMETERS.INVALID", "non_delivery_option"),
        ({"restriction_type": "quarantine"}, "CUSTOMS_INFO.PARAMETERS.INVALID", "restriction_comments"),
        ({"customs_items": [TEA | {"description": ""}]}, "SHIPMENT.CUSTOMS_INFO.DESCRIPTION_REQUIRED", "description"),
        ({"customs_items": [TEA | {"origin_country": ""}]}, "CUSTOMS_ITEM.ORIGIN_COUNTRY.REQUIRED", "origin_country"),
        ({"customs_items": [TEA | {"value": 0}]}, "CUSTOMS_ITEM.PARAMETERS.INVALID", "value"),
        ({"customs_items": [TEA | {"weight": 0.0004}]}, "CUSTOMS_ITEM.PARAMETERS.INVALID", "weight"),
        (
            {"customs_items": [TEA | {"hs_tariff_number": "0902"}]},
            "CUSTOMS_ITEM.PARAMETERS.INVALID",
            "hs_tariff_number",
        ),
        (
            {"customs_items": [TEA, TEA | {"currency": "EUR"}]},
            "CUSTOMS_ITEM.CURRENCY.ONE_CURRENCY_SUPPORTED",
            "currency",
        ),
    ],
)
def test_a_declaration_that_lacks_something_is_refused_naming_the_field(
    base_url: str, changes: dict[str, Any], code: str, field: str
) -> None:
    info = {"contents_type": "merchandise", "customs_items": [TEA]} | changes
    with client(base_url) as http:
        answer = http.post("/v2/shipments", json={"shipment": SHIPMENT | {"customs_info": info}})
    assert (answer.status_code, _code(answer)) == (422, code)
    assert answer.json()["error"]["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tax_identifiers": [{"entity": "SENDER", "tax_id": "1", "tax_id_type": "EORI"}]}, "SHIPMENT.INVALID_PARAMS"),
        ({"tax_identifiers": [{"entity": "SHOP"}]}, "SHIPMENT.INVALID_PARAMS"),
        ({"tax_identifiers": [{}] * 9}, "SHIPMENT.INVALID_PARAMS"),
        ({"options": {"incoterm": "DDU"}}, "SHIPMENT.OPTIONS.INVALID"),
        ({"options": {"commercial_invoice_format": "GIF"}}, "SHIPMENT.OPTIONS.INVALID"),
    ],
)
def test_numbers_and_terms_that_do_not_exist_are_refused(base_url: str, changes: dict[str, Any], code: str) -> None:
    with client(base_url) as http:
        assert _code(http.post("/v2/shipments", json={"shipment": SHIPMENT | changes})) == code


def test_without_a_postal_code_there_are_no_rates_but_a_message(base_url: str) -> None:
    with client(base_url) as http:
        shipment = create(http, to_address={"country": "US"})
    assert shipment["rates"] == []
    assert shipment["messages"][0]["type"] == "rate_error"


def test_purchases_are_listed_page_by_page_newest_first(base_url: str, control: EasyPostControl) -> None:
    with client(base_url) as http:
        made = [create(http)["id"] for _ in range(3)]
        for shipment_id in made[:2]:
            buy(http, http.get(f"/v2/shipments/{shipment_id}").json())
        first = http.get("/v2/shipments", params={"page_size": 1}).json()
        assert ([one["id"] for one in first["shipments"]], first["has_more"]) == ([made[1]], True)
        second = http.get("/v2/shipments", params={"page_size": 1, "before_id": made[1]}).json()
        assert ([one["id"] for one in second["shipments"]], second["has_more"]) == ([made[0]], False)
        every = http.get("/v2/shipments", params={"purchased": "false"}).json()
        assert [one["id"] for one in every["shipments"]] == made[::-1]


def test_scans_are_posted_signed_to_a_url(base_url: str, control: EasyPostControl) -> None:
    got: list[tuple[str, bytes]] = []

    async def receive(request: Request) -> Response:
        got.append((request.headers["x-hmac-signature"], await request.body()))
        return Response(status_code=202)

    with (
        client(base_url) as http,
        serve(Starlette(routes=[Route("/hooks", receive, methods=["POST"])])) as receiver,
    ):
        bought = buy(http, create(http)).json()
        scan = {"status": "in_transit", "datetime": "2026-11-24T02:00:00Z", "city": "Fresno"}
        assert control.scan_and_post("prc_1", scan, url=f"{receiver}/hooks", secret="sécret") == 202
    ((signature, body),) = got
    assert signature == sign(body, "sécret")
    event = json.loads(body)
    assert (event["description"], event["mode"]) == ("tracker.updated", "test")
    assert event["result"]["tracking_code"] == bought["tracking_code"]
    assert event["result"]["tracking_details"][-1]["tracking_location"]["city"] == "Fresno"


def test_a_misspelt_fault_is_refused(base_url: str, control: EasyPostControl) -> None:
    with pytest.raises(httpx2.HTTPStatusError):
        control.fault("buy", "slow", second=1)


@pytest.mark.slow
def test_it_runs_as_a_process_of_its_own_and_keeps_its_books_in_a_file(reference: Path, tmp_path: Path) -> None:
    books = tmp_path / "state.json"
    arguments = ("--reference", str(reference), "--state", str(books), "--accounts", "many")
    with serve_in_child("tests.simulators.easypost", *arguments) as url, client(url) as http:
        shipment = create(http)
        assert len(shipment["rates"]) == 24
        buy(http, shipment)
        assert json.loads(books.read_text())["by_reference"] == {"prc_1": 1}
        assert EasyPostControl(url).state()["created"] == 1
