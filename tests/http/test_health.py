"""What watches over the process gets an answer, whatever state the database is in."""

from __future__ import annotations

import math

import httpx2
import pytest

from connector.http.health import Watch
from connector.http.limits import Limits
from connector.http.ports import HealthReport
from connector.http.routes import build_worker_app
from connector.metrics import Metrics
from tests.http.house import House, HouseHealth

pytestmark = pytest.mark.anyio


async def test_alive_asks_nobody(house: House) -> None:
    house.directory.ready = False
    assert (await house.ask("GET", "/healthz")).status_code == 200
    assert house.health.asked == 0


async def test_ready_once_the_settings_are_in_memory(house: House) -> None:
    house.directory.ready = False
    async with house.client() as client:
        before = await client.get("/readyz")
        house.directory.ready = True
        after = await client.get("/readyz")
    assert (before.status_code, before.json()["ready"]) == (503, False)
    assert (after.status_code, after.json()["ready"]) == (200, True)


async def test_ready_tells_of_database_schema_and_worker(house: House) -> None:
    assert (await house.ask("GET", "/readyz")).json() == {
        "ready": True,
        "database": "up",
        "migrations": "current",
        "worker_heartbeat_age_s": 1.5,
        "failed_work": 0,
    }


async def test_a_database_that_is_down_does_not_make_the_process_unready(house: House) -> None:
    house.health.told = HealthReport("down")
    answer = await house.ask("GET", "/readyz")
    assert (answer.status_code, answer.json()["database"]) == (200, "down")


async def test_what_is_not_known_in_time_is_unknown() -> None:
    metrics = Metrics()
    report = await Watch(HouseHealth(hangs=True), metrics, patience_s=0.01).report()
    assert report == HealthReport()
    assert math.isnan(metrics.registry.get_sample_value("waybill_worker_heartbeat_age_seconds") or 0)


async def test_however_many_ask_the_database_is_asked_once(house: House) -> None:
    async with house.client() as client:
        for path in ("/readyz", "/metrics") * 5:
            await client.get(path)
    assert house.health.asked == 1


async def test_a_report_is_fresh_again_after_its_time() -> None:
    health = HouseHealth()
    watch = Watch(health, Metrics(), keep_s=0)
    await watch.report()
    await watch.report()
    assert health.asked == 2


async def test_the_figures_are_in_prometheus_text_format(house: House) -> None:
    async with house.client() as client:
        await client.post("/rates/shp_9/token")
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert 'waybill_rate_requests_total{outcome="not_found",shop="unknown"} 1.0' in lines
    assert "waybill_ready 1.0" in lines
    assert "waybill_database_up 1.0" in lines
    assert "waybill_worker_heartbeat_age_seconds 1.5" in lines


@pytest.mark.parametrize(
    ("authorization", "status"),
    [(None, 401), ("Bearer wrong", 401), ("bearer ř", 401), ("Bearer " + "m" * 16, 200)],
)
async def test_the_figures_may_ask_for_a_token(house: House, authorization: str | None, status: int) -> None:
    house.limits = Limits(metrics_token="m" * 16)
    headers = {} if authorization is None else {"authorization": authorization.encode()}
    answer = await house.ask("GET", "/metrics", headers=headers)
    assert answer.status_code == status
    assert ("waybill_ready" in answer.text) == (status == 200)


async def test_a_worker_tells_that_it_is_alive_and_what_it_counted() -> None:
    metrics = Metrics()
    metrics.jobs.labels("order", "done").inc()
    app = build_worker_app(HouseHealth(), metrics)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://w") as client:
        assert (await client.get("/healthz")).status_code == 200
        assert 'waybill_jobs_total{job="order",outcome="done"} 1.0' in (await client.get("/metrics")).text
        assert (await client.get("/readyz")).status_code == 404
