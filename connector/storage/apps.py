"""Apps of a platform: registered once, installed by many shops; their secrets prove what the platform sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, String, Table, UniqueConstraint, insert, select, text, update

from connector.storage import audit, config_version
from connector.storage.audit import Actor
from connector.storage.ids import new_id
from connector.storage.schema import Moment, Sealed, id_column, metadata
from connector.storage.secrets import Keyring

KEEP_PREVIOUS = timedelta(hours=2)
"""How long a replaced secret still proves something: Shopify signs with the old one for up to an hour."""


@dataclass(frozen=True, slots=True)
class AppRecord:
    """An app of a platform, whose secret signs the deliveries of all shops that installed it.

    `previous` is the secret before it was changed at `changed_at`; `api_base` where the platform is, if not at the
    shops' own addresses.
    """

    id: str
    platform: str
    client_id: str
    secret: str = field(repr=False)
    previous: str = field(default="", repr=False)
    changed_at: datetime | None = None
    api_base: str = ""

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """The secrets that prove something then, newest first."""
        lately = self.previous and self.changed_at is not None and now < self.changed_at + KEEP_PREVIOUS
        return (self.secret, self.previous) if lately else (self.secret,)


_apps = Table(
    "apps",
    metadata,
    id_column(primary_key=True),
    Column("platform", String(40), nullable=False),
    Column("client_id", String(200), nullable=False),
    Column("secret", Sealed, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("previous_secret", Sealed, nullable=True),
    Column("changed_at", Moment, nullable=True),
    Column("api_base", String(500), nullable=False, server_default=text("''")),
    UniqueConstraint("platform", "client_id"),
)


def put_app(
    connection: Connection,
    keyring: Keyring,
    *,
    platform: str,
    client_id: str,
    secret: str,
    actor: Actor,
    now: datetime,
    api_base: str | None = None,
) -> AppRecord:
    """Keep an app and its secret; a known client id gets the new secret, and the old one proves for a while longer.

    `api_base` None leaves what is known.
    """
    known = connection.execute(
        select(_apps).where(_apps.c.platform == platform, _apps.c.client_id == client_id)
    ).one_or_none()
    app_id = known.id if known else new_id("app", now)
    if known is None:
        connection.execute(
            insert(_apps).values(
                id=app_id,
                platform=platform,
                client_id=client_id,
                secret=keyring.seal(secret.encode()),
                created_at=now,
                api_base=api_base or "",
            )
        )
    else:
        values: dict[str, object] = {} if api_base is None else {"api_base": api_base}
        if keyring.open(known.secret).decode() != secret:
            values |= {"secret": keyring.seal(secret.encode()), "previous_secret": known.secret, "changed_at": now}
        if values:
            connection.execute(update(_apps).where(_apps.c.id == app_id).values(**values))
    config_version.bump(connection)
    audit.record(connection, now=now, actor=actor, action="app.put", subject=app_id, shop_id=None)
    return next(app for app in list_apps(connection, keyring) if app.id == app_id)


def list_apps(connection: Connection, keyring: Keyring) -> list[AppRecord]:
    """Every app, oldest first."""
    return [
        AppRecord(
            id=row.id,
            platform=row.platform,
            client_id=row.client_id,
            secret=keyring.open(row.secret).decode(),
            previous=keyring.open(row.previous_secret).decode() if row.previous_secret else "",
            changed_at=row.changed_at,
            api_base=row.api_base,
        )
        for row in connection.execute(select(_apps).order_by(_apps.c.id))
    ]
