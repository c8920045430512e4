"""The EasyPost simulator answers what was recorded in the recorded shape, at the recorded prices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.simulators.easypost import build
from tests.simulators.easypost_truth import Exchange, Truth, expected_rates
from tests.simulators.server import serve

_ID = re.compile(r"[a-z]+_[0-9a-f]{16,}")
# A key that was switched off; and a purchase of a shipment whose making was not recorded.
_NOT_PLAYED = {("client/multiple_request_hooks", 0), ("shipment_service/buy", 1)}
# A test key's tracker of a duplicate code was recorded with 200, because its account had it already.
_STATUS_BY_HISTORY = {"POST /v2/trackers"}


@pytest.fixture(scope="module")
def truth(reference: Path) -> Truth:
    return Truth(reference)


@pytest.fixture(scope="module")
def base_url(reference: Path) -> Iterator[str]:
    with serve(build(reference)) as url:
        yield url


@pytest.fixture(scope="module")
def many_url(reference: Path) -> Iterator[str]:
    with serve(build(reference, "many")) as url:
        yield url


def _objects(value: Any, name: str = "answer") -> Iterator[tuple[str, frozenset[str]]]:
    """What every JSON object within is (by its `object` field, else by where it stands), and its keys."""
    if isinstance(value, dict):
        yield value.get("object") or name, frozenset(value)
        for key, one in value.items():
            yield from _objects(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one, name)


@pytest.fixture(scope="module")
def optional(truth: Truth) -> dict[str, set[str]]:
    """Keys that the recordings themselves have sometimes only, by kind of object: versions of the server differ."""
    seen: dict[str, list[frozenset[str]]] = {}
    for exchange in truth.exchanges:
        for name, keys in _objects(exchange.response):
            seen.setdefault(name, []).append(keys)
    return {name: set(frozenset.union(*every) - frozenset.intersection(*every)) for name, every in seen.items()}


def differences(
    recorded: Any, ours: Any, optional: dict[str, set[str]], name: str = "answer", where: str = ""
) -> Iterator[str]:
    """Where two JSON values differ in keys or types. Null stands for any type; of a list the first item counts."""
    if recorded is None or ours is None:
        return
    if type(recorded) is not type(ours):
        yield f"{where}: {type(recorded).__name__} was recorded, not {type(ours).__name__}"
    elif isinstance(recorded, dict):
        for key in sorted((recorded.keys() ^ ours.keys()) - optional[recorded.get("object") or name]):
            yield f"{where}.{key}: only {'recorded' if key in recorded else 'ours'}"
        for key in recorded.keys() & ours.keys():
            yield from differences(recorded[key], ours[key], optional, key, f"{where}.{key}")
    elif isinstance(recorded, list) and recorded and ours:
        yield from differences(recorded[0], ours[0], optional, name, f"{where}[]")


def pairs(recorded: Any, ours: Any) -> Iterator[tuple[str, str]]:
    """Recorded ids beside ours, by their place in the answer."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        for key in recorded.keys() & ours.keys():
            yield from pairs(recorded[key], ours[key])
        by_service = {rate["service"]: rate["id"] for rate in ours.get("rates") or [] if "id" in rate}
        for rate in recorded.get("rates") or []:
            if rate.get("service") in by_service and "id" in rate:
                yield rate["id"], by_service[rate["service"]]
    elif isinstance(recorded, list) and isinstance(ours, list):
        for one, other in zip(recorded, ours, strict=False):
            yield from pairs(one, other)
    elif isinstance(recorded, str) and isinstance(ours, str) and _ID.fullmatch(recorded):
        yield recorded, ours


def _translate(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _translate(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [_translate(one, ids) for one in value]
    return ids.get(value, value) if isinstance(value, str) else value


def _play(base_url: str, exchange: Exchange, ids: dict[str, str]) -> httpx2.Response:
    path = _ID.sub(lambda found: ids.get(found[0], found[0]), exchange.path)
    query = {"file_format": "ZPL"} if path.endswith("/label") and "shipments" in path else {}
    body = _translate(exchange.request, ids)
    key = "EZAKproduction" if exchange.topic == "user" else "EZTKtest"  # Users are read with production keys only.
    with httpx2.Client(trust_env=False, verify=False, timeout=10, auth=(key, "")) as client:
        return client.request(exchange.method, base_url + path, json=body, params=query)


def test_every_recorded_request_gets_an_answer_of_the_recorded_shape(
    truth: Truth, base_url: str, optional: dict[str, set[str]]
) -> None:
    """Whole flows are played in order; ids that were recorded stand for those that we were given."""
    failed: list[str] = []
    assert len(truth.exchanges) == 255
    for name, flow in groupby(truth.exchanges, key=lambda e: f"{e.topic}: {e.name}"):
        ids: dict[str, str] = {}
        for exchange in flow:
            if (exchange.name, exchange.seq) in _NOT_PLAYED:
                continue
            answer = _play(base_url, exchange, ids)
            if answer.status_code != exchange.status and exchange.route not in _STATUS_BY_HISTORY:
                failed.append(f"{name} {exchange.seq} {exchange.route}: {answer.status_code}, not {exchange.status}")
                continue
            ours = answer.json() if answer.content else None
            failed += [f"{name} {exchange.seq}{line}" for line in differences(exchange.response, ours, optional)]
            ids |= dict(pairs(exchange.response, ours))
    assert failed == [], "\n".join(failed)


def _prices(answer: Any) -> set[tuple[str, str, str, str]]:
    return {(r["carrier_account_id"], r["carrier"], r["service"], r["rate"]) for r in answer["rates"]}


def test_a_recorded_rate_request_gets_the_recorded_prices(truth: Truth, base_url: str, many_url: str) -> None:
    recorded: dict[str, list[Exchange]] = {}
    for exchange in truth.exchanges:
        if exchange.route in {"POST /v2/shipments", "POST /beta/rates"} and exchange.status < 300:
            if "adr_" in str(exchange.request):
                continue  # Ids of objects that were made before; the flows above play them.
            recorded.setdefault(str(exchange.request), []).append(exchange)
    assert recorded
    for same in recorded.values():
        prices = [_prices(exchange.response) for exchange in same]
        for url in (base_url, many_url):
            assert _prices(_play(url, same[0], {}).json()) in prices


def test_accounts_that_refuse_are_named_as_recorded(truth: Truth, many_url: str) -> None:
    recorded = truth.exchange("shipment_multicarrier_messages", "claim_service_with_parameters/retrieve")
    answer = _play(many_url, recorded, {}).json()
    assert answer["messages"] == recorded.response["messages"]
    assert len(answer["rates"]) == 24


def test_a_heavier_parcel_costs_what_the_rule_says(truth: Truth, base_url: str, reference: Path) -> None:
    asked = truth.exchange("stateless_rates", "beta_retrieve_stateless_rates")
    heavier = asked.request["shipment"] | {"parcel": {"weight": 40.1}}  # 2.51 lb, so 3 billed: 1.30 times the base.
    with httpx2.Client(trust_env=False, auth=("EZTKtest", "")) as client:
        answer = client.post(f"{base_url}/beta/rates", json={"shipment": heavier}).json()
    prices = {rate["service"]: rate["rate"] for rate in answer["rates"]}
    assert prices == {"Express": "44.40", "Priority": "9.65", "GroundAdvantage": "7.89"}
    expected = {key[2]: str(price) for key, price in expected_rates(heavier, "one", reference).items()}
    assert prices == expected
