"""Commands about apps that many shops install: app add, app list, shop app-config."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from connector.cli.output import BY_COMMAND, Speaker, command, secret, with_house
from connector.installing.callbacks import is_public
from connector.settings import read_settings
from connector.storage.apps import AppRecord, list_apps, put_app
from connector.stores.shopify.app_config import HEAD, REASONS, app_config
from connector.wiring import House
from webhooks.errors import WaybillError

FILE = "shopify.app.toml"
_LEAST_SECRET = 32


def add_to(group: click.Group) -> None:
    """Register the commands."""
    app = click.Group("app", help="Apps that stores install in the browser.")
    app_add = click.Group("add", help="Register an app.")
    group.add_command(app)
    app.add_command(app_add)

    @command(app_add, "shopify")
    @click.option(
        "--client-id", envvar="WAYBILL_CLIENT_ID", required=True, help="From the Dev Dashboard; also WAYBILL_CLIENT_ID."
    )
    @click.option(
        "--client-secret",
        envvar="WAYBILL_CLIENT_SECRET",
        required=True,
        help="Better as WAYBILL_CLIENT_SECRET, or - to read it from standard input.",
    )
    @click.option("--api-base", help="Where the API is, if not at the shops' own domains.")
    def add_shopify(speaker: Speaker, client_id: str, client_secret: str, api_base: str | None) -> None:
        """Register an app of Shopify's Dev Dashboard, so that stores connect by opening it.

        For an app that is registered already, take over a new secret; the one before it proves for two hours more.
        """
        found = secret(client_secret, "--client-secret") or ""
        if len(found) < _LEAST_SECRET:
            raise WaybillError("This is no client secret: it has 32 characters or more.", detail="--client-secret")
        if api_base and not api_base.startswith(("https://", "http://")):
            raise WaybillError("--api-base begins with https:// or http://.", detail="--api-base")

        def keep(house: House) -> dict[str, Any]:
            record = house.here(
                put_app,
                house.keyring,
                platform="shopify",
                client_id=client_id.strip(),
                secret=found,
                actor=BY_COMMAND,
                now=house.clock.now(),
                api_base=None if api_base is None else api_base.rstrip("/"),
            )
            return _data(house, record)

        data = with_house(keep)
        speaker.answer(data, [*_lines(data), "Write its configuration with `waybill shop app-config`."])

    @command(app, "list")
    def list_all(speaker: Speaker) -> None:
        """List the registered apps."""

        def read(house: House) -> list[dict[str, Any]]:
            return [_data(house, record) for record in house.here(list_apps, house.keyring)]

        found = with_house(read)
        none = ["No app is registered. Register one with `waybill app add shopify`."]
        speaker.answer({"apps": found}, [line for each in found for line in _lines(each)] or none)


def add_config_to(group: click.Group) -> None:
    """Register `app-config` in the group `shop`."""

    @command(group, "app-config")
    @click.option("--url", help="Where this server is reached; default WAYBILL_PUBLIC_URL.")
    @click.option("--client-id", help="Which app, if several are registered.")
    @click.option("--name", default="Waybill", show_default=True, help="The app's name.")
    @click.option(
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path(FILE),
        show_default=True,
        help="The file to write.",
    )
    @click.option("--force", is_flag=True, help="Also over a file that this command did not write.")
    def configure(speaker: Speaker, url: str | None, client_id: str | None, name: str, out: Path, force: bool) -> None:
        """Write what Shopify must know of the app: shopify.app.toml, and the same as fields for the Dev Dashboard."""
        address = (url or read_settings().public_url).rstrip("/")
        if not address.startswith(("https://", "http://")):
            raise WaybillError("--url is an address such as https://ship.example.com.", detail="--url")
        known = with_house(lambda house: house.here(list_apps, house.keyring))
        made = app_config(address, _client_id(known, client_id), name)
        changed = _write(out, made.toml, force=force)
        notes = _notes(address, known, client_id)
        data = {
            "file": str(out),
            "changed": changed,
            "toml": made.toml,
            "fields": [{"name": field, "value": value} for field, value in made.fields],
            "scopes": [{"scope": scope, "reason": reason} for scope, reason in REASONS.items()],
            "notes": notes,
        }
        lines = [f"{out} {'is written' if changed else 'is as it should be'}. The same for the Dev Dashboard:"]
        lines += [f"  {field}: {value}" for field, value in made.fields]
        lines += ["Why each scope:", *(f"  {scope}: {reason}" for scope, reason in REASONS.items())]
        speaker.answer(data, [*lines, *notes])


def _client_id(known: list[AppRecord], wanted: str | None) -> str:
    if wanted is not None:
        return wanted
    ids = [record.client_id for record in known if record.platform == "shopify"]
    if len(ids) > 1:
        raise WaybillError("Several apps are registered: name one with --client-id.", detail="--client-id")
    return ids[0] if ids else ""


def _notes(address: str, known: list[AppRecord], wanted: str | None) -> list[str]:
    notes = []
    if not is_public(address):
        notes.append(f"Shopify cannot reach {address}: it has to be a public https address.")
    if not any(record.client_id == (wanted or record.client_id) for record in known):
        notes.append("Register the app with `waybill app add shopify`, else its visits and webhooks are refused.")
    return notes


def _write(out: Path, text: str, *, force: bool) -> bool:
    """Write the file as a whole; False if it is so already."""
    before = out.read_text(encoding="utf-8") if out.exists() else None
    if before == text:
        return False
    if before is not None and not before.startswith(HEAD) and not force:
        raise WaybillError(f"{out} was not written by this command; see --force.", detail="--out")
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=out.resolve().parent, prefix=f".{out.name}.", delete=False
    ) as draft:
        draft.write(text)
    Path(draft.name).chmod(0o644)
    Path(draft.name).replace(out)
    return True


def _data(house: House, record: AppRecord) -> dict[str, Any]:
    base = house.settings.public_url
    return {
        "app_id": record.id,
        "platform": record.platform,
        "client_id": record.client_id,
        "page_url": f"{base}/{record.platform}/app",
        "hook_url": f"{base}/apps/{record.platform}/hooks",
    }


def _lines(data: dict[str, Any]) -> list[str]:
    return [
        f"{data['platform']} app {data['client_id']} is registered as {data['app_id']}.",
        f"  Its page: {data['page_url']}",
        f"  Its webhooks: {data['hook_url']}",
    ]
