"""Commands that run the service: up, serve, work, migrate."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys

import click

from connector import supervisor
from connector import tunnel as tunnels
from connector.cli.output import Speaker, command
from connector.logs import set_up_logs
from connector.settings import Settings, read_settings
from connector.storage.database import open_database
from connector.storage.logins.people import count_users
from connector.storage.migrate import schema_state
from connector.wiring import migrate_house, open_house
from webhooks.errors import WaybillError


def add_to(group: click.Group) -> None:
    """Register the commands."""
    host = click.option("--host", help="Address to listen on; default WAYBILL_HOST.")
    port = click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; default WAYBILL_PORT.")

    @command(group, "up")
    @host
    @port
    @click.option("--tunnel", is_flag=True, help="Get a public https address for this run from a tunnel program.")
    def up(speaker: Speaker, host: str | None, port: int | None, tunnel: bool) -> None:
        """Migrate, then run web and worker under a small supervisor until SIGTERM."""
        settings, host, port = _place(speaker, host, port)
        program = _tunnel_program(settings, port) if tunnel else None
        migrate_house(settings)
        here = [sys.executable, "-m", "connector.cli"]
        children = [
            supervisor.Child("web", (*here, "serve", "--host", host, "--port", str(port))),
            supervisor.Child("worker", (*here, "work")),
        ]
        if program is not None:
            children = tunnels.children(program, settings.data_dir / "tunnel", children)
        line = supervisor.command_line(children, supervisor.Timing(grace_s=settings.grace_s + 2))
        _say_place(speaker, settings, host, port, program, nobody=_nobody_may_log_in(settings))
        os.execv(line[0], line)  # noqa: S606 - the supervisor takes this process's place, to stay small.

    @command(group, "serve")
    @host
    @port
    def serve(speaker: Speaker, host: str | None, port: int | None) -> None:
        """Run the web process alone, until SIGTERM."""
        from connector.serving import serve as run

        settings, host, port = _place(speaker, host, port)
        if speaker.as_json:
            _say_place(speaker, settings, host, port)
        raise SystemExit(run(settings, host, port))

    @command(group, "work")
    def work(speaker: Speaker) -> None:
        """Run the worker alone, until SIGTERM."""
        from connector.working import work as run

        settings = _settings(speaker)
        if speaker.as_json:
            speaker.answer({"jobs": settings.worker_jobs, "lease_s": settings.lease_s}, [])
            sys.stdout.flush()
        raise SystemExit(asyncio.run(run(settings)))

    @command(group, "migrate")
    def migrate(speaker: Speaker) -> None:
        """Bring the database's schema to this release."""
        settings = _settings(speaker)
        migrate_house(settings)
        house = open_house(settings)
        try:
            state = schema_state(house.database)
        finally:
            house.close()
        speaker.answer({"schema": state}, [f"The schema is {state}."])


def _place(speaker: Speaker, host: str | None, port: int | None) -> tuple[Settings, str, int]:
    settings = _settings(speaker)
    return settings, host or settings.host, settings.port if port is None else port


def _tunnel_program(settings: Settings, port: int) -> tunnels.Program:
    if not port:
        raise WaybillError("A tunnel needs a port that is known: give --port or WAYBILL_PORT.", detail="--port")
    program = tunnels.find_program(port, settings.tunnel_command)
    if program is None:
        names = ", ".join(tunnels.known_programs())
        raise WaybillError(f"No tunnel program is installed ({names}): install one, or set WAYBILL_TUNNEL_COMMAND.")
    if shutil.which(program.command[0]) is None:
        raise WaybillError("The tunnel program is not there.", detail=program.command[0])
    return program


def _say_place(
    speaker: Speaker,
    settings: Settings,
    host: str,
    port: int,
    program: tunnels.Program | None = None,
    *,
    nobody: bool = False,
) -> None:
    where = f"http://{host}:{port}" if port else f"a free port of {host}, which the log names"
    if program is None:
        url: str | None = settings.public_url
        text = f"Waybill listens on {where}; stores and carriers reach it at {url}."
    else:
        url, text = None, f"Waybill listens on {where}; {program.name} gets it a public address, which the log names."
    hint = ["Nobody can log in to the desk yet: `waybill user link` prints a link for the first person."]
    speaker.answer({"url": url, "host": host, "port": port}, [text, *(hint if nobody else [])])
    sys.stdout.flush()


def _nobody_may_log_in(settings: Settings) -> bool:
    database = open_database(settings.database_url)
    try:
        return database.run_here(count_users) == 0
    finally:
        database.close()


def _settings(speaker: Speaker) -> Settings:
    try:
        settings = read_settings()
    except WaybillError as error:
        speaker.complain(error)
        raise SystemExit(supervisor.EXIT_MISCONFIGURED) from error
    set_up_logs(settings.log_format, settings.log_level)
    return settings
