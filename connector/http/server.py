"""The HTTP server that carries the applications: uvicorn, without its own logging."""

from __future__ import annotations

import math

import uvicorn
from starlette.types import ASGIApp

_KEEP_ALIVE_S = 75  # Longer than the usual proxies keep an idle connection, so that they and not we close it.


def server_config(
    app: ASGIApp, *, host: str, port: int, connections_max: int = 1000, grace_s: float = 20
) -> uvicorn.Config:
    """How the application is served.

    Nothing is logged per request, since paths hold tokens; log lines go where `connector.logs` sends them. No header
    of a proxy is believed: nothing here depends on the client's address.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        limit_concurrency=connections_max,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(grace_s),
    )
