"""What watches over the process: is its loop turning, can it quote, how are database, schema and worker."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import math
import time

from starlette.types import Receive, Scope, Send

from connector.http.errors import JSON, UNAUTHORIZED, send_reply
from connector.http.limits import read_headers, same_text
from connector.http.ports import Directory, Health, HealthReport
from connector.metrics import Metrics
from webhooks.receiver import Reply

_ALIVE = Reply(200, b'{"alive": true}', (JSON,))
_METRICS_TYPE = ("content-type", "text/plain; version=1.0.0; charset=utf-8")


class Watch:
    """Asks for the health report at most once per `keep_s` seconds and waits at most `patience_s` for it.

    However many ask, the database is asked once; what does not come in time is unknown.
    """

    def __init__(self, health: Health, metrics: Metrics, *, patience_s: float = 2.0, keep_s: float = 1.0) -> None:
        self._health = health
        self._metrics = metrics
        self._patience_s = patience_s
        self._keep_s = keep_s
        self._lock = asyncio.Lock()
        self._report = HealthReport()
        self._fresh_until = -math.inf

    async def report(self) -> HealthReport:
        """The report, at most `keep_s` seconds old; its figures are in the metrics as well."""
        async with self._lock:
            if time.monotonic() >= self._fresh_until:
                try:
                    async with asyncio.timeout(self._patience_s) as limit:
                        self._report = await self._health.report()
                except TimeoutError:
                    if not limit.expired():
                        raise
                    self._report = HealthReport()
                self._fresh_until = time.monotonic() + self._keep_s
                self._gauge(self._report)
            return self._report

    def _gauge(self, report: HealthReport) -> None:
        self._metrics.database_up.set(report.database == "up")
        self._metrics.migrations_current.set(report.migrations == "current")
        age, failed = report.worker_heartbeat_age_s, report.failed_work
        self._metrics.worker_heartbeat_age.set(math.nan if age is None else age)
        self._metrics.failed_work.set(math.nan if failed is None else failed)


class Alive:
    """`GET /healthz`: 200 while the process's loop turns."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Serve one request."""
        await send_reply(send, _ALIVE)


class Ready:
    """`GET /readyz`: 200 once the shops' settings are in memory, 503 before; the body tells of the surroundings.

    A database that is down does not make the process unready: quotes go on without it.
    """

    def __init__(self, directory: Directory, watch: Watch) -> None:
        self._directory = directory
        self._watch = watch

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Serve one request."""
        report, ready = await self._watch.report(), self._directory.ready
        body = json.dumps({"ready": ready, **dataclasses.asdict(report)}).encode()
        await send_reply(send, Reply(200 if ready else 503, body, (JSON, ("cache-control", "no-store"))))


class Figures:
    """`GET /metrics`: everything that is counted, in Prometheus' text format."""

    def __init__(self, metrics: Metrics, watch: Watch, directory: Directory | None = None, token: str = "") -> None:
        self._metrics = metrics
        self._watch = watch
        self._directory = directory
        self._token = token

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._token and not same_text(read_headers(scope).get("authorization", ""), f"Bearer {self._token}"):
            await send_reply(send, UNAUTHORIZED)
            return
        await self._watch.report()
        if self._directory is not None:
            self._metrics.ready.set(self._directory.ready)
        await send_reply(send, Reply(200, self._metrics.text(), (_METRICS_TYPE,)))
