"""Commands for who may use the desk: one-time links, a list, removal, new passwords."""

from __future__ import annotations

from typing import get_args

import click
from sqlalchemy import Connection

from connector.cli.output import Speaker, command, with_house
from connector.storage.audit import Actor
from connector.storage.logins import links, people
from connector.storage.logins.people import User
from connector.storage.logins.tables import EVERY_SHOP, LinkKind, Role
from connector.storage.shops import find_shop_id
from connector.wiring import House
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")


def add_to(group: click.Group) -> None:
    """Register the commands."""
    users = click.Group("user", help="Who may use the desk.")
    group.add_command(users)

    @command(users, "link")
    @click.option("--email", help="For whom; without it, for the very first user, who types it.")
    @click.option("--role", type=click.Choice(get_args(Role)), help="What a new user may do; needed with --email.")
    @click.option("--shop", help="The shop that the role is for; without it, every shop.")
    def link(speaker: Speaker, email: str | None, role: Role | None, shop: str | None) -> None:
        """Print a link that lets one person in, once.

        Without options it makes the first user, who owns the installation. With --email it invites that person, or
        gives a new password to one who is there.
        """
        _say(speaker, *with_house(lambda house: house.here(_make, house, email, role, shop)))

    @command(users, "list")
    def list_users(speaker: Speaker) -> None:
        """List who may use the desk, and their roles."""
        found = with_house(lambda house: house.here(people.list_users, house.keyring))
        rows = [
            {
                "id": each.id,
                "email": each.email,
                "name": each.name,
                "roles": [{"shop_id": shop or None, "role": role} for shop, role in sorted(each.roles.items())],
            }
            for each in found
        ]
        speaker.answer({"users": rows}, [_line(each) for each in found] or ["Nobody yet: `waybill user link`."])

    @command(users, "remove")
    @click.argument("user")
    def remove(speaker: Speaker, user: str) -> None:
        """Remove a person (e-mail address or id): their sessions end at once."""

        def run(connection: Connection, house: House) -> str:
            found = people.find_user(connection, house.keyring, user)
            people.remove_user(connection, found.id, _BY_COMMAND, house.clock.now())
            return found.id

        done = with_house(lambda house: house.here(run, house))
        speaker.answer({"user_id": done}, [f"Removed {done}."])

    @command(users, "reset")
    @click.argument("user")
    def reset(speaker: Speaker, user: str) -> None:
        """Print a link with which a person (e-mail address or id) chooses a new password."""

        def run(connection: Connection, house: House) -> tuple[str, LinkKind]:
            found = people.find_user(connection, house.keyring, user)
            token = links.make_reset(connection, found.id, _BY_COMMAND, house.clock.now())
            return _url(house, token), "reset"

        _say(speaker, *with_house(lambda house: house.here(run, house)))


def _make(
    connection: Connection, house: House, email: str | None, role: Role | None, shop: str | None
) -> tuple[str, LinkKind]:
    now = house.clock.now()
    if email is None:
        if role or shop:
            raise WaybillError("Name who the link is for with --email.", detail="--email")
        return _url(house, links.make_first(connection, now, _BY_COMMAND)), "first"
    known = people.find_login(connection, house.keyring, email)
    if known is not None:
        if role or shop:
            raise WaybillError("This person has a login; an owner changes roles in the desk.", detail="--email")
        return _url(house, links.make_reset(connection, known[0], _BY_COMMAND, now)), "reset"
    if role is None:
        raise WaybillError("Say with --role what the new user may do: owner or packer.", detail="--role")
    shop_id = find_shop_id(connection, shop) if shop else EVERY_SHOP
    token = links.invite(connection, house.keyring, email, role, shop_id, _BY_COMMAND, now)
    return _url(house, token), "invite"


def _url(house: House, token: str) -> str:
    return f"{house.settings.public_url}/welcome/{token}"


def _say(speaker: Speaker, url: str, kind: LinkKind) -> None:
    hours = int(links.LASTS[kind].total_seconds() // 3600)
    text = [url, f"It works once, within {hours} hours, for whoever opens it: pass it on with care."]
    speaker.answer({"url": url, "kind": kind, "hours": hours}, text)


def _line(user: User) -> str:
    roles = ", ".join(f"{role} of {shop or 'every shop'}" for shop, role in sorted(user.roles.items()))
    return f"{user.id}  {user.email}  {user.name}  {roles or 'no role'}"
