"""Who may work in a shop: invite, roles, new passwords, removal."""

from __future__ import annotations

import json
from typing import cast, get_args

from sqlalchemy import Connection

from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Goto, NotThere, Page, View
from connector.storage.logins import links, people
from connector.storage.logins.people import User
from connector.storage.logins.tables import EVERY_SHOP, Role
from connector.storage.secrets import SealError


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """Everybody with a role here; a link that was just made is shown to who made it."""
    found = await house.database.run(people.list_users, house.keyring, ask.shop.id)
    rows = [(each, each.role_in(ask.shop.id), EVERY_SHOP in each.roles, _may_manage(ask, each)) for each in found]
    link = _opened(house, ask, ask.query.get("link", ""))
    return View("people.html", {"rows": rows, "link": link, "whole": ask.user.owns_installation})


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Invite, change a role, make a link for a new password, or take somebody out."""
    here = f"{ask.base}/people"
    if ask.typed.get("do") == "invite":
        return await _invite(house, ask, here)
    user = await house.database.run(_managed, house, ask, ask.typed.get("user", ""))
    match ask.typed.get("do"):
        case "role":
            role = ask.typed.get("role", "")
            if role not in get_args(Role):
                return await _refuse(house, ask, Complaint("people.no_role", "role"))
            await house.database.run(
                people.set_role, user.id, _place(ask, user), cast("Role", role), ask.actor, ask.now
            )
            return Goto(here, done="people.role")
        case "reset":
            token = await house.database.run(links.make_reset, user.id, ask.actor, ask.now)
            return Goto(f"{here}?link={_sealed(house, ask, token)}", done="people.reset")
        case "remove":
            await house.database.run(_take_out, ask, user)
            return Goto(here, done="people.removed")
    return await _refuse(house, ask, Complaint("form.unknown"))


async def _refuse(house: DeskHouse, ask: Ask, complaint: Complaint) -> Answer:
    page = await show(house, ask)
    return View(page.template, page.values, complaint) if isinstance(page, View) else page


async def _invite(house: DeskHouse, ask: Ask, here: str) -> Answer:
    """A link for somebody new; somebody known gets the role at once."""
    role, _, whole = ask.typed.get("role", "").partition(" ")
    if role not in get_args(Role) or (whole and not ask.user.owns_installation):
        return await _refuse(house, ask, Complaint("people.no_role", "role"))
    place = EVERY_SHOP if whole else ask.shop.id
    token = await house.database.run(_invited, house, ask, cast("Role", role), place)
    if token is None:
        return Goto(here, done="people.added")
    return Goto(f"{here}?link={_sealed(house, ask, token)}", done="people.invited")


def _invited(connection: Connection, house: DeskHouse, ask: Ask, role: Role, place: str) -> str | None:
    email = people.normal_email(ask.typed.get("email", ""))
    known = people.find_login(connection, house.keyring, email)
    if known is None:
        return links.invite(connection, house.keyring, email, role, place, ask.actor, ask.now)
    user = people.get_user(connection, house.keyring, known[0])
    if user.role_in(place) is not None:
        raise people.UserExists("This person works here already; change the role in the list.", detail="email")
    people.set_role(connection, user.id, place, role, ask.actor, ask.now)
    return None


def _managed(connection: Connection, house: DeskHouse, ask: Ask, user_id: str) -> User:
    """Who is to be changed, if the person who asks may; anybody else is not there."""
    try:
        user = people.get_user(connection, house.keyring, user_id)
    except people.NoSuchUser:
        raise NotThere from None
    if user.role_in(ask.shop.id) is None or not _may_manage(ask, user):
        raise NotThere
    return user


def _may_manage(ask: Ask, user: User) -> bool:
    """Nobody changes themselves; who works in other shops too is changed by who owns those."""
    if user.id == ask.user.id:
        return False
    return ask.user.owns_installation or all(
        shop_id != EVERY_SHOP and ask.user.role_in(shop_id) == "owner" for shop_id in user.roles
    )


def _place(ask: Ask, user: User) -> str:
    """Where the role is held that counts here."""
    return ask.shop.id if ask.shop.id in user.roles else EVERY_SHOP


def _take_out(connection: Connection, ask: Ask, user: User) -> None:
    """Who has no other role is forgotten."""
    place = _place(ask, user)
    if set(user.roles) == {place}:
        people.remove_user(connection, user.id, ask.actor, ask.now)
    else:
        people.set_role(connection, user.id, place, None, ask.actor, ask.now)


def _sealed(house: DeskHouse, ask: Ask, token: str) -> str:
    """A link's token as it may stand in an address: only who made it can have it shown, for ten minutes."""
    return house.keyring.seal(json.dumps([ask.user.id, ask.now.timestamp(), token]).encode())


def _opened(house: DeskHouse, ask: Ask, sealed: str) -> str:
    if not sealed:
        return ""
    try:
        user_id, made_at, token = json.loads(house.keyring.open(sealed))
    except (SealError, ValueError):
        return ""
    fresh = 0 <= ask.now.timestamp() - float(made_at) < 600
    return f"{house.public_url}/welcome/{token}" if user_id == ask.user.id and fresh else ""


PAGES = (Page("/people", "people", "owner", show, act),)
