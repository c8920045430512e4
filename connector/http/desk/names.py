"""Who acted, as people read it: a colleague's name, or what else acted."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from connector.storage.audit import Actor
from connector.storage.logins import people
from connector.storage.secrets import Keyring
from connector.words.desk_texts import say


def names_of_actors(connection: Connection, keyring: Keyring, actors: Iterable[Actor]) -> dict[Actor, str]:
    """A text for each actor; a person who was removed shows as such."""
    wanted = set(actors)
    known = people.names_of(connection, keyring, {each.name for each in wanted if each.kind == "person"})
    return {each: _name(each, known) for each in wanted}


def _name(actor: Actor, known: dict[str, str]) -> str:
    if actor.kind == "person":
        found = known.get(actor.name)
        if found is not None:
            return found
        return say("actor.removed") if actor.name.startswith("usr_") else actor.name
    return say(f"actor.{actor.kind}", name=actor.name)
