"""Every URL of Waybill, and the applications that serve them; `docs/routes.md` lists the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from connector.http.errors import LastResort, refuse_route
from connector.http.health import Alive, Figures, Ready, Watch
from connector.http.hooks import Threads, app_hooks, carrier_hooks, store_hooks
from connector.http.ports import Front, Health, Lifespan
from connector.http.rates import Rates
from connector.metrics import Metrics


def build_app(front: Front) -> Starlette:
    """The web process's application."""
    threads = Threads(front.limits.hook_threads, front.limits.hook_backlog)
    watch = Watch(front.health, front.metrics)
    figures = Figures(front.metrics, watch, front.directory, front.limits.metrics_token)
    routes: list[BaseRoute] = [
        Route("/rates/{shop}/{token}", Rates(front), methods=["POST"]),
        Route("/hooks/carrier/{token}", carrier_hooks(front, threads), methods=["POST"]),
        Route("/hooks/{shop}/{token}", store_hooks(front, threads), methods=["POST"]),
        Route("/apps/{app}/hooks", app_hooks(front, threads), methods=["POST"]),
        Route("/healthz", Alive(), methods=["GET"]),
        Route("/readyz", Ready(front.directory, watch), methods=["GET"]),
        Route("/metrics", figures, methods=["GET"]),
    ]
    closing = [threads.close]
    if front.desk is not None:
        from connector.http.desk.routes import Desk

        desk = Desk(front.desk)
        routes += desk.routes
        closing.append(desk.close)
    if front.shopify_app is not None:
        from connector.http.shopify_app import app_routes

        routes += app_routes(front, front.shopify_app)
    if front.storefront is not None:
        from connector.http.storefront.doors import storefront_routes

        routes += storefront_routes(front, front.storefront)
    return _application(routes, front.metrics, front.lifespan, closing)


def build_worker_app(health: Health, metrics: Metrics, metrics_token: str = "") -> Starlette:
    """What a worker serves on WAYBILL_WORKER_PORT: whether it is alive, and its figures."""
    watch = Watch(health, metrics)
    routes = [
        Route("/healthz", Alive(), methods=["GET"]),
        Route("/metrics", Figures(metrics, watch, token=metrics_token), methods=["GET"]),
    ]
    return _application(routes, metrics)


def _application(
    routes: Sequence[BaseRoute],
    metrics: Metrics,
    around: Lifespan | None = None,
    closing: Sequence[Callable[[], None]] = (),
) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with around() if around else nullcontext():
            try:
                yield
            finally:
                for close in closing:
                    await asyncio.to_thread(close)  # What they use is let go of after them.

    app = Starlette(
        routes=list(routes),
        middleware=[Middleware(LastResort, metrics=metrics)],
        exception_handlers={HTTPException: refuse_route},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # An address with one slash too many is no address of ours.
    return app
