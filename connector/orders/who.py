"""Who did something, by name: reasons keep a person's id, as names are personal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from connector.storage.logins.people import names_of
from connector.storage.secrets import Keyring
from connector.words.reason import Reason


def names_in(connection: Connection, keyring: Keyring, whys: Iterable[Reason | None]) -> dict[str, str]:
    """The names of those that these reasons name by id."""
    ids = people_in(whys)
    return names_of(connection, keyring, ids) if ids else {}


def people_in(whys: Iterable[Reason | None]) -> set[str]:
    """The ids that these reasons name."""
    return {str(why.params["who"]) for why in whys if why is not None and "who" in why.params}


def by_name(why: Reason | None, names: Mapping[str, str]) -> Reason | None:
    """A reason as it is shown; one that names nobody of `names` (by id) stays as it is."""
    if why is None or why.params.get("who") not in names:
        return why
    return Reason(why.code, {**why.params, "who": names[str(why.params["who"])]})
