"""What watches the installation, and how its alerts leave the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.attention.post import Hook, Mailbox, Post
from connector.smtp import MailServer
from connector.watch.rounds import Watch
from webhooks.signatures import standard_key

if TYPE_CHECKING:
    from connector.wiring.house import House


def watch_of(house: House) -> Watch:
    """What watches the installation, in a web or a worker process."""
    settings = house.settings
    heartbeat = settings.heartbeat_url
    return Watch(
        house.database,
        house.directory,
        post_of(house),
        house.outgoing,
        house.clock,
        settings.public_url,
        (settings.data_dir, settings.label_dir),
        "" if heartbeat is None else heartbeat.get_secret_value(),
    )


def post_of(house: House) -> Post:
    """How alerts leave the house, as the process settings say."""
    settings = house.settings
    mailbox = hook = None
    if settings.smtp_url is not None:
        server = MailServer.read(settings.smtp_url.get_secret_value())
        sender = settings.alert_mail_from or (server.user if "@" in server.user else settings.alert_mail_to)
        mailbox = Mailbox(server, sender, settings.alert_mail_to)
    if settings.alert_url and settings.alert_secret is not None:
        key = standard_key(settings.alert_secret.get_secret_value())
        assert key is not None  # noqa: S101 - the settings were checked.
        hook = Hook(settings.alert_url, key)
    return Post(house.outgoing, settings.public_url, mailbox, hook)
