"""Sends alerts: by mail over SMTP, or to one address as a signed webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import anyio.to_thread

from connector.attention.alerts import Channel, Message
from connector.attention.board import HOUSE
from connector.attention.letter import Letter, Place, test_letter, write
from connector.smtp import Handed, MailServer, hand_over
from webhooks.errors import NoAnswer, NotSent
from webhooks.outgoing import Outgoing
from webhooks.signatures import standard_signature

_DEADLINE_S = 15.0
_ANSWER_BYTES = 64 * 1024
_POLICY = default.clone(max_line_length=400)  # A subject in one line: folded, some programs show it with a blank.


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where alerts are mailed: the server, who they come from, and to whom. `shops` have addresses of their own."""

    server: MailServer
    sender: str
    to: str
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """Where alerts are posted, and the key that signs them."""

    url: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Addresses:
    """The shops as they are now: their own addresses for alerts, and how they are called."""

    mail: Mapping[str, str]
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Post:
    """Knows how every recipient is reached. `alerts.Routes` once the shops are known: see `routes`."""

    outgoing: Outgoing
    public_url: str
    mailbox: Mailbox | None = None
    hook: Hook | None = None

    def routes(self, addresses: Addresses) -> Routing:
        """Who is told of what, with the shops as they are now."""
        return Routing(self, addresses)

    async def send(self, message: Message, addresses: Addresses) -> Handed:
        """Send one message once, to who is to get it now."""
        letter = write(message.items, addresses.places, self.public_url)
        if message.channel == "mail":
            to = addresses.mail.get(message.recipient) or ("" if self.mailbox is None else self.mailbox.to)
            return await self._mail(message.id, message.created_at, to, letter)
        return await self._call(message.id, message.created_at, _body(message, letter))

    async def test(self, now: datetime, message_id: str) -> dict[Channel, Handed]:
        """Send a test by every way that is set up; what came of each."""
        letter = test_letter(self.public_url)
        done: dict[Channel, Handed] = {}
        if self.mailbox is not None and self.mailbox.to:
            done["mail"] = await self._mail(message_id, now, self.mailbox.to, letter)
        if self.hook is not None:
            body = {"type": "alert.test", "timestamp": now.isoformat(), "data": _words(letter)}
            done["webhook"] = await self._call(message_id, now, body)
        return done

    async def _mail(self, message_id: str, at: datetime, to: str, letter: Letter) -> Handed:
        if self.mailbox is None or not to:
            return Handed("not_sent", "there is no mail server or no recipient any more")
        mail = compose(letter, sender=self.mailbox.sender or to, to=to, message_id=message_id, at=at)
        box = self.mailbox
        return await anyio.to_thread.run_sync(lambda: hand_over(box.server, mail, ca_file=box.ca_file))

    async def _call(self, message_id: str, at: datetime, body: Mapping[str, Any]) -> Handed:
        if self.hook is None:
            return Handed("not_sent", "there is no address to post to any more")
        raw = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
        timestamp = int(at.timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": standard_signature(raw, message_id, timestamp, self.hook.key),
        }
        try:
            answer = await self.outgoing.request(
                "POST", self.hook.url, deadline_s=_DEADLINE_S, headers=headers, content=raw, max_bytes=_ANSWER_BYTES
            )
        except NotSent as error:
            return Handed("not_sent", error.message)
        except NoAnswer as error:
            return Handed("unclear", error.message)
        if 200 <= answer.status < 300:
            return Handed("sent")
        return Handed("not_sent", f"the address answered {answer.status}")


@dataclass(frozen=True, slots=True)
class Routing:
    """`alerts.Routes`: a shop with an address of its own is told itself, everything else goes to the house."""

    post: Post
    addresses: Addresses

    def recipient(self, shop_id: str) -> str:
        """See alerts.Routes."""
        return shop_id if self.post.mailbox is not None and self.addresses.mail.get(shop_id) else HOUSE

    def channels(self, recipient: str) -> Sequence[Channel]:
        """See alerts.Routes. The webhook hears everything."""
        by_mail = self.post.mailbox is not None and (recipient != HOUSE or bool(self.post.mailbox.to))
        ways: list[Channel] = ["mail"] if by_mail else []
        return [*ways, "webhook"] if self.post.hook is not None else ways


def compose(letter: Letter, *, sender: str, to: str, message_id: str, at: datetime) -> EmailMessage:
    """The mail. One id for every repeat, so that a mailbox may show it once; no answer from a machine is wanted."""
    mail = EmailMessage(policy=_POLICY)
    mail["Subject"] = letter.subject
    mail["From"] = f"Waybill <{sender}>"
    mail["To"] = to
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text, charset="utf-8", cte="7bit" if letter.text.isascii() else "quoted-printable")
    return mail


def _body(message: Message, letter: Letter) -> dict[str, Any]:
    return {
        "type": "alert.over" if all(item.kind == "over" for item in message.items) else "alert.open",
        "timestamp": message.created_at.isoformat(),
        "data": _words(letter)
        | {
            "matters": [
                {
                    "id": item.matter_id,
                    "state": item.kind,
                    "shop_id": item.shop_id,
                    "code": item.reason.code,
                    "text": item.reason.say(),
                    "opened_at": item.opened_at.isoformat(),
                    "resolved_at": None if item.resolved_at is None else item.resolved_at.isoformat(),
                }
                for item in message.items
            ]
        },
    }


def _words(letter: Letter) -> dict[str, Any]:
    return {"subject": letter.subject, "text": letter.text}
