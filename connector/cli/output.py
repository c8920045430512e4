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
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from carriers.money import Money
from connector.settings import read_settings
from connector.storage.audit import Actor
from connector.wiring import House, open_house
from connector.words.reason import Reason
from webhooks.errors import WaybillError

T = TypeVar("T")

EXIT_FAILED = 1
BY_COMMAND = Actor("command", "waybill")


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

    def complain(self, error: WaybillError) -> None:
        """What went wrong: a line on standard error for people, an object on standard output for programs."""
        with suppress(BrokenPipeError):
            if self.as_json:
                body = {"message": error.message, "detail": error.detail}
                click.echo(json.dumps({"error": body}, ensure_ascii=False))
            else:
                said_already = not error.detail or error.detail in error.message
                click.echo(f"Error: {error.message if said_already else error}", err=True)


class Root(click.Group):
    """The outermost group: misuse of the command line is told as every other error is, with exit code 2."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """See click.Command.main; always ends the process."""
        given = kwargs.get("args", args[0] if args else None)
        given = sys.argv[1:] if given is None else given
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            code = error.exit_code
        except click.ClickException as error:
            Speaker(as_json="--json" in given).complain(_misuse(error))
            code = error.exit_code
        except click.Abort:
            code = EXIT_FAILED
        raise SystemExit(code if isinstance(code, int) else 0)


def command(group: click.Group, name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command of the group: takes `--json`, and turns errors of ours into one line and exit code 1."""

    def make(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(**options: Any) -> None:
            speaker = Speaker(as_json=options.pop("as_json"))
            try:
                function(speaker, **options)
            except BrokenPipeError:
                raise
            except (WaybillError, SQLAlchemyError, OSError) as error:
                speaker.complain(_ours(error))
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


def secret(value: str | None, option: str) -> str | None:
    """A secret as it was given: `-` reads one line from standard input."""
    if value != "-":
        return value
    line = sys.stdin.readline().strip()
    if not line:
        raise WaybillError(f"Nothing came on standard input for {option}.", detail=option)
    return line


def field_error(error: ValidationError, model: type[BaseModel]) -> WaybillError:
    """A pydantic complaint as one sentence that names the option and repeats no value."""
    first = error.errors(include_input=False, include_url=False)[0]
    if not first["loc"]:
        return WaybillError(first["msg"].removeprefix("Value error, "))
    name = str(first["loc"][0])
    option = "--" + name.replace("_", "-")
    if first["type"] == "missing":
        return WaybillError(f"{option} is missing.", detail=option)
    field = model.model_fields.get(name)
    meaning = f" {field.description}" if field is not None and field.description else ""
    if first["type"] == "string_pattern_mismatch":
        return WaybillError(f"{option} does not have the right form.{meaning}", detail=option)
    return WaybillError(f"{option}: {first['msg'].removeprefix('Value error, ')}", detail=option)


def _ours(error: Exception) -> WaybillError:
    """An error as it may be shown: what a database or the system says may quote addresses and values."""
    if isinstance(error, WaybillError):
        return error
    if isinstance(error, OSError):
        return WaybillError(f"{error.filename or 'A file'}: {error.strerror or type(error).__name__}.")
    cause = getattr(error, "orig", None) or error
    return WaybillError(
        "The database does not answer; see WAYBILL_DATABASE_URL and WAYBILL_DATA_DIR.", detail=type(cause).__name__
    )


def _misuse(error: click.ClickException) -> WaybillError:
    """Misuse as one line: what is wrong, and where the help is."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "waybill"
    message = " ".join(error.format_message().split())
    parameter = getattr(error, "param", None)
    detail = "" if parameter is None else (parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.name)
    return WaybillError(f"{message} See `{path} --help`.", detail=detail or "")
