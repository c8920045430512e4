"""Commands that run the service: up, serve, work, migrate."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from connector import supervisor
from connector.cli.output import Speaker, command
from connector.logs import set_up_logs
from connector.settings import Settings, read_settings
from connector.storage.migrate import schema_state
from connector.wiring import migrate_house, open_house
from webhooks.errors import WaybillError


def add_to(group: click.Group) -> None:
    """Register the commands."""
    host = click.option("--host", default=None, help="Address to listen on; default WAYBILL_HOST.")
    port = click.option("--port", type=int, default=None, help="Port to listen on; default WAYBILL_PORT.")

    @command(group, "up")
    @host
    @port
    def up(speaker: Speaker, host: str | None, port: int | None) -> None:
        """Migrate, then run web and worker under a small supervisor until SIGTERM."""
        settings = _settings()
        migrate_house(settings)
        here = [sys.executable, "-m", "connector.cli"]
        web = [*here, "serve", "--host", host or settings.host, "--port", str(settings.port if port is None else port)]
        children = [supervisor.Child("web", tuple(web)), supervisor.Child("worker", (*here, "work"))]
        timing = supervisor.Timing(grace_s=settings.grace_s + 2)
        if speaker.as_json:
            speaker.answer(
                {"url": settings.public_url, "host": host or settings.host, "port": port or settings.port}, []
            )
        sys.stdout.flush()
        os.environ.setdefault("MALLOC_ARENA_MAX", "2")  # glibc keeps an arena a thread; two are enough and save memory.
        line = supervisor.command_line(children, timing)
        os.execv(line[0], line)  # noqa: S606 - the supervisor takes this process's place, to stay small.

    @command(group, "serve")
    @host
    @port
    def serve(_speaker: Speaker, host: str | None, port: int | None) -> None:
        """Run the web process alone."""
        from connector.serving import serve as run

        settings = _settings()
        raise SystemExit(run(settings, host or settings.host, settings.port if port is None else port))

    @command(group, "work")
    def work(_speaker: Speaker) -> None:
        """Run the worker alone."""
        from connector.working import work as run

        raise SystemExit(asyncio.run(run(_settings())))

    @command(group, "migrate")
    def migrate(speaker: Speaker) -> None:
        """Bring the database's schema to this release."""
        settings = _settings()
        migrate_house(settings)
        house = open_house(settings)
        try:
            state = schema_state(house.database)
        finally:
            house.close()
        speaker.answer({"schema": state}, [f"The schema is {state}."])


def _settings() -> Settings:
    try:
        settings = read_settings()
    except WaybillError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(supervisor.EXIT_MISCONFIGURED) from error
    set_up_logs(settings.log_format, settings.log_level)
    return settings
