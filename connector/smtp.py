"""Send one mail over SMTP: bounded in time, TLS verified, and an outcome that says whether it may have arrived."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_TIMEOUT_S = 15.0


class BadServer(ValueError):
    """The address of a mail server cannot be used; the message never repeats it, for it may hold a password."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and how it is protected on the way.

    starttls: encrypted before anything is said, or nothing is sent. implicit: encrypted from the first byte. none: for
    a server on this machine or in this network, and never with a password.
    """

    host: str
    port: int
    protection: Literal["starttls", "implicit", "none"]
    user: str = ""
    password: str = ""

    @classmethod
    def read(cls, url: str) -> MailServer:
        """From `smtp://USER:PASSWORD@HOST:PORT`, `smtps://…` or `smtp+plain://HOST:PORT`. Raises BadServer."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise BadServer("this must be an address such as smtp://user:password@mail.example.com:587") from error
        if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
            raise BadServer("this must be an address such as smtp://user:password@mail.example.com:587")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if parts.scheme == "smtp+plain" and user:
            raise BadServer("a password is not sent without encryption: use smtp:// or smtps://")
        protections: dict[str, Literal["starttls", "implicit", "none"]] = {
            "smtp": "starttls",
            "smtps": "implicit",
            "smtp+plain": "none",
        }
        return cls(parts.hostname, port or PORTS[parts.scheme], protections[parts.scheme], user, password)


@dataclass(frozen=True, slots=True)
class Handed:
    """What came of one try.

    sent: the server took it. not_sent: it certainly did not. unclear: the link broke after the text had left.
    `said` is safe to show: a server's number or the kind of error, never an address.
    """

    outcome: Literal["sent", "not_sent", "unclear"]
    said: str = ""


def hand_over(server: MailServer, message: EmailMessage, *, ca_file: Path | None = None) -> Handed:
    """Give a mail to the server. Blocks for some 15 s a step at most: call it in a thread."""
    link = _reach(server, ca_file)
    if isinstance(link, Handed):
        return link
    try:
        refused = link.send_message(message)
    except smtplib.SMTPServerDisconnected:
        return Handed("unclear", "the mail server hung up")
    except smtplib.SMTPException as error:
        return Handed("not_sent", _said(error))
    except OSError as error:
        return Handed("unclear", _reached(error))
    finally:
        _leave(link)
    return Handed("not_sent", "some recipients were refused") if refused else Handed("sent")


def try_out(server: MailServer, *, ca_file: Path | None = None) -> str:
    """Connect and log in, and send nothing; what is wrong, or empty. Blocks as `hand_over` does."""
    link = _reach(server, ca_file)
    if isinstance(link, Handed):
        return link.said
    _leave(link)
    return ""


def _reach(server: MailServer, ca_file: Path | None) -> smtplib.SMTP | Handed:
    try:
        return _connect(server, ca_file)
    except smtplib.SMTPAuthenticationError as error:
        return Handed("not_sent", f"the mail server refuses user or password ({error.smtp_code})")
    except smtplib.SMTPException as error:
        return Handed("not_sent", _said(error))
    except (OSError, ValueError) as error:
        return Handed("not_sent", _reached(error))


def _connect(server: MailServer, ca_file: Path | None) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    if server.protection == "implicit":
        link: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_S, context=context)
    else:
        link = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_S)
    try:
        if server.protection == "starttls":
            link.starttls(context=context)
        if server.user:
            link.login(server.user, server.password)
    except BaseException:
        _leave(link)
        raise
    return link


def _leave(link: smtplib.SMTP) -> None:
    try:
        link.quit()
    except (smtplib.SMTPException, OSError):
        link.close()


def _said(error: smtplib.SMTPException) -> str:
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({number for number, _ in error.recipients.values()})
        return f"the mail server refuses the recipient ({', '.join(map(str, codes))})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server does not offer encryption"
    return f"the mail server said {code}" if code else type(error).__name__


def _reached(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the mail server's certificate does not hold"
    if isinstance(error, TimeoutError):
        return "the mail server did not answer in time"
    if isinstance(error, socket.gaierror):
        return "the mail server's name is not known"
    return f"the mail server could not be reached ({type(error).__name__})"
