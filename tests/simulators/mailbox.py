"""A mail server on loopback that keeps what it is given: plain, with STARTTLS or encrypted from the start, with faults.

It speaks as much of RFC 5321 as a client that hands mail over needs, in threads of its own.
"""

from __future__ import annotations

import base64
import email
import email.policy
import socketserver
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Fault = Literal["refuse", "hang-up-after-text", "busy"]
Protection = Literal["plain", "starttls", "implicit"]


@dataclass
class Mailbox:
    """What arrived, and how the server is to behave; `faults` are used up one a mail."""

    port: int = 0
    login: tuple[str, str] | None = None
    ca_file: Path | None = None
    arrived: list[EmailMessage] = field(default_factory=list)
    tries: int = 0
    faults: deque[Fault] = field(default_factory=deque)

    @property
    def url(self) -> str:
        """As a plain server of the own network."""
        return f"smtp+plain://127.0.0.1:{self.port}"

    @property
    def subjects(self) -> list[str]:
        """The subjects of what arrived, in order."""
        return [str(mail["Subject"]) for mail in self.arrived]


@contextmanager
def a_mailbox(
    protection: Protection = "plain", folder: Path | None = None, login: tuple[str, str] | None = None
) -> Iterator[Mailbox]:
    """A running server; `folder` is where its certificate goes, if it has one."""
    box = Mailbox(login=login)
    tls = None
    if protection != "plain":
        assert folder is not None
        box.ca_file = _certificate(folder)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(box.ca_file, folder / "mail.key")
    server = _Server(("127.0.0.1", 0), _Talk)
    server.box, server.tls, server.protection = box, tls, protection
    box.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    box: Mailbox
    tls: ssl.SSLContext | None
    protection: Protection

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or that does not trust the certificate, is no fault of the server."""


class _Talk(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server = cast("_Server", self.server)
        self.link: Any = self.request
        self.lines: Any = self.link.makefile("rb")
        self.encrypted = server.protection == "implicit"
        if self.encrypted:
            assert server.tls is not None
            self.link = server.tls.wrap_socket(self.link, server_side=True)
            self.lines = self.link.makefile("rb")
        self.authentic = server.box.login is None
        fault = server.box.faults[0] if server.box.faults else None
        if fault == "busy":
            server.box.faults.popleft()
            server.box.tries += 1
            self.say("421 try later")
            return
        self.say("220 mailbox")
        while line := self.lines.readline():
            if not self.obey(server, line.decode("ascii", "replace").strip()):
                return

    def finish(self) -> None:
        """Let go of what encryption was put on top."""
        self.lines.close()
        self.link.close()

    def obey(self, server: _Server, line: str) -> bool:
        """Answer one command; False to hang up."""
        verb = line.split(" ", 1)[0].upper()
        box = server.box
        if verb == "EHLO":
            offers = ["STARTTLS"] if server.protection == "starttls" and not self.encrypted else []
            offers += ["AUTH PLAIN"] if box.login and self.encrypted else []
            for offer in ["mailbox", *offers]:
                self.say(f"250-{offer}")
            self.say("250 SIZE 1000000")
        elif verb == "STARTTLS" and server.tls is not None:
            self.say("220 go on")
            self.link = server.tls.wrap_socket(self.link, server_side=True)
            self.lines = self.link.makefile("rb")
            self.encrypted = True
        elif verb == "AUTH":
            self.authentic = _proves(line, box.login)
            self.say("235 welcome" if self.authentic else "535 who are you")
        elif verb == "MAIL":
            self.say("250 fine" if self.authentic else "530 log in first")
        elif verb == "RCPT":
            refused = bool(box.faults) and box.faults[0] == "refuse"
            if refused:
                box.faults.popleft()
                box.tries += 1
            self.say("550 no such mailbox" if refused else "250 fine")
        elif verb == "DATA":
            return self.take(box)
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("250 fine")
        return True

    def take(self, box: Mailbox) -> bool:
        self.say("354 go on")
        text = b""
        while (line := self.lines.readline()) not in {b".\r\n", b""}:
            text += line.removeprefix(b".") if line.startswith(b"..") else line
        box.tries += 1
        box.arrived.append(email.message_from_bytes(text, policy=email.policy.default))
        if box.faults and box.faults[0] == "hang-up-after-text":
            box.faults.popleft()
            return False
        self.say("250 taken")
        return True

    def say(self, line: str) -> None:
        self.link.sendall(f"{line}\r\n".encode("ascii"))


def _proves(line: str, login: tuple[str, str] | None) -> bool:
    given = base64.b64decode(line.rsplit(" ", 1)[1]).decode().split("\0")
    return login is not None and tuple(given[-2:]) == login


def _certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "mail.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
