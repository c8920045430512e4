"""What can be told from here of the outside: our public address, its certificate, the clock, the mail server."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import anyio.to_thread

from connector.checkup.address import check_address
from connector.doctor.diagnosis import Diagnosis, State
from connector.settings import Settings
from connector.smtp import BadServer, MailServer, try_out
from connector.words.reason import Param, Reason
from webhooks.errors import OutgoingError
from webhooks.outgoing import Outgoing

_ASK_S = 8.0
_SKEW = timedelta(minutes=2)
_SOON = timedelta(days=21)
_NOW = timedelta(days=3)

ReadEnd = Callable[[str, int], datetime]
"""When the certificate of a host and port ends; blocks. Raises OSError."""


async def address(settings: Settings, outgoing: Outgoing, *, has_stores: bool) -> list[Diagnosis]:
    """Whether somebody answers at our public address. Without a store outside, nobody needs to reach it yet."""
    what = Reason("doctor_address")
    found = await check_address(outgoing, settings.public_url, private_is_fine=settings.allow_private_addresses)
    if not found:
        return [Diagnosis("address", what, "ok", settings.public_url)]
    state: State = "broken" if has_stores else "look"
    return [Diagnosis("address", what, state, settings.public_url, found[0].reason)]


async def certificate(settings: Settings, now: datetime, read_end: ReadEnd) -> list[Diagnosis]:
    """How long the certificate of the public address holds."""
    parts = urlsplit(settings.public_url)
    if parts.scheme != "https" or not parts.hostname:
        return []
    what, host = Reason("doctor_certificate"), parts.hostname
    try:
        end = await anyio.to_thread.run_sync(read_end, host, parts.port or 443)
    except ssl.SSLCertVerificationError as error:
        why = Reason("doctor_certificate_refused", {"host": host, "said": error.verify_message})
        return [Diagnosis("certificate", what, "broken", why=why)]
    except OSError as error:
        why = Reason("doctor_certificate_unseen", {"host": host, "said": type(error).__name__})
        return [Diagnosis("certificate", what, "not_checked", why=why)]
    left = end - now
    value = f"{end.date().isoformat()} ({left.days} days)"
    if left < _SOON:
        why = Reason("doctor_certificate_ends", {"host": host, "days": left.days})
        return [Diagnosis("certificate", what, "broken" if left < _NOW else "look", value, why)]
    return [Diagnosis("certificate", what, "ok", value)]


def certificate_end(host: str, port: int, context: ssl.SSLContext | None = None) -> datetime:
    """Ask the server itself, with verification on. Raises OSError."""
    context = context or ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=_ASK_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        shown = secure.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


async def clock(outgoing: Outgoing, hosts: Sequence[str], now: Callable[[], datetime]) -> list[Diagnosis]:
    """Our clock against those of stores and carriers that are connected; one of them is enough."""
    what = Reason("doctor_clock")
    if not hosts:
        return [Diagnosis("clock", what, "not_checked", why=Reason("doctor_clock_nobody"))]
    for host in hosts:
        theirs = await _date_of(outgoing, host)
        if theirs is None:
            continue
        off, name = now() - theirs, urlsplit(host).hostname or host
        if abs(off) <= _SKEW:
            return [Diagnosis("clock", what, "ok", f"as {name}'s")]
        params: dict[str, Param] = {"seconds": abs(int(off.total_seconds())), "who": name}
        why = Reason("check_clock_ahead", params) if off > timedelta() else Reason("check_clock_behind", params)
        return [Diagnosis("clock", what, "broken", why=why)]
    names = ", ".join(sorted({urlsplit(host).hostname or host for host in hosts}))
    return [Diagnosis("clock", what, "not_checked", why=Reason("doctor_clock_unreached", {"hosts": names}))]


async def _date_of(outgoing: Outgoing, host: str) -> datetime | None:
    try:
        answer = await outgoing.request("HEAD", f"{host}/", deadline_s=_ASK_S)
        return parsedate_to_datetime(answer.headers.get("date", ""))
    except (OutgoingError, ValueError):
        return None


async def mail(settings: Settings) -> list[Diagnosis]:
    """Whether the mail server takes us; nothing is sent."""
    what = Reason("doctor_mail")
    if settings.smtp_url is None:
        return [Diagnosis("mail", what, "not_checked", why=Reason("doctor_mail_unset"))]
    try:
        server = MailServer.read(settings.smtp_url.get_secret_value())
    except BadServer as error:
        return [Diagnosis("mail", what, "broken", why=Reason("doctor_mail_refused", {"said": str(error)}))]
    said = await anyio.to_thread.run_sync(try_out, server)
    if said:
        return [Diagnosis("mail", what, "broken", server.host, Reason("doctor_mail_refused", {"said": said}))]
    return [Diagnosis("mail", what, "ok", server.host)]
