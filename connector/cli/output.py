"""How commands speak: text for people, one JSON object for programs, one clear line for what went wrong."""

from __future__ import annotations

import asyncio
import functools
import json
import sys
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from carriers.money import Money
from connector.settings import read_settings
from connector.wiring import House, open_house
from connector.words.reason import Reason
from webhooks.errors import WaybillError

T = TypeVar("T")

EXIT_FAILED = 1
EXIT_MISCONFIGURED = 78


def as_json(value: Any) -> Any:
    """Values of ours as JSON has them: money as text with its currency, moments in ISO 8601."""
    if isinstance(value, Money):
        return {"amount": f"{value.amount:f}", "currency": value.currency}
    if isinstance(value, Reason):
        return {"code": value.code, "text": value.say()}
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Speaker:
    """Where a command's answer goes. `as_json` picks the form."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def answer(self, data: dict[str, Any], lines: Iterable[str]) -> None:
        """The command's one answer, in the form that was asked for."""
        if self.as_json:
            click.echo(json.dumps(data, default=as_json, ensure_ascii=False))
        else:
            for line in lines:
                click.echo(line)

    def progress(self, line: str) -> None:
        """Something on the way: people see it, programs get it on standard error."""
        click.echo(line, err=self.as_json)


def command(group: click.Group, name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command of the group: takes `--json`, and turns errors of ours into one line and exit code 1."""

    def make(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(**options: Any) -> None:
            speaker = Speaker(as_json=options.pop("as_json"))
            try:
                function(speaker, **options)
            except WaybillError as error:
                _complain(speaker, error)
                raise SystemExit(EXIT_FAILED) from error

        parameters = list(getattr(function, "__click_params__", []))
        run.__click_params__ = parameters  # type: ignore[attr-defined]  # Where click keeps what its decorators add.
        with_json = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")(run)
        made: click.Command = group.command(name, help=(function.__doc__ or "").strip())(with_json)
        return made

    return make


def with_house(work: Callable[[House], T]) -> T:
    """Do something in an opened house, and close it."""
    house = open_house(read_settings())
    try:
        return work(house)
    finally:
        house.close()


def in_house(work: Callable[[House], Coroutine[Any, Any, T]]) -> T:
    """The same for async work, with the shops in memory."""

    async def run() -> T:
        house = open_house(read_settings())
        try:
            house.prepare_database()
            await house.directory.refresh()
            return await work(house)
        finally:
            await house.aclose()

    return asyncio.run(run())


def secret(value: str | None, what: str) -> str | None:
    """A secret as it was given: `-` reads one line from standard input."""
    if value != "-":
        return value
    line = sys.stdin.readline().strip()
    if not line:
        raise WaybillError(f"Nothing came on standard input for {what}.")
    return line


def field_error(error: ValidationError, what: str) -> WaybillError:
    """A pydantic complaint as one sentence that names the field and repeats no value."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or what
    return WaybillError(f"{where}: {first['msg'].removeprefix('Value error, ')}", detail=what)


def _complain(speaker: Speaker, error: WaybillError) -> None:
    with suppress(BrokenPipeError):
        if speaker.as_json:
            click.echo(json.dumps({"error": {"message": error.message, "detail": error.detail}}))
        else:
            click.echo(f"Error: {error}", err=True)
