"""A mail is handed over encrypted or not at all, once, and the outcome says whether it may have arrived."""

from __future__ import annotations

import socket
from email.message import EmailMessage
from pathlib import Path

import pytest

from connector.smtp import BadServer, MailServer, hand_over
from tests.simulators.mailbox import Mailbox, Protection, a_mailbox


def a_mail() -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = "Café is out"
    mail["From"] = "Waybill <waybill@example.com>"
    mail["To"] = "desk@example.com"
    mail.set_content("A line.\n.\nWhat to do: nothing.\n")
    return mail


def server_of(box: Mailbox, scheme: str, login: str = "") -> MailServer:
    return MailServer.read(f"{scheme}://{login}127.0.0.1:{box.port}")


@pytest.mark.parametrize(("scheme", "protection"), [("smtp", "starttls"), ("smtps", "implicit")])
def test_a_mail_goes_encrypted_and_after_the_log_in(tmp_path: Path, scheme: str, protection: Protection) -> None:
    with a_mailbox(protection, tmp_path, login=("desk", "p@ss/word")) as box:
        server = server_of(box, scheme, "desk:p%40ss%2Fword@")
        assert hand_over(server, a_mail(), ca_file=box.ca_file).outcome == "sent"
        (mail,) = box.arrived
        assert mail["Subject"] == "Café is out"
        assert "What to do: nothing." in mail.get_content()


def test_a_plain_server_of_the_own_network_is_used_as_it_is() -> None:
    with a_mailbox() as box:
        assert hand_over(MailServer.read(box.url), a_mail()).outcome == "sent"


def test_nothing_is_said_to_a_server_whose_certificate_does_not_hold(tmp_path: Path) -> None:
    for scheme, protection in (("smtp", "starttls"), ("smtps", "implicit")):
        with a_mailbox(protection, tmp_path) as box:  # type: ignore[arg-type]  # One of the literals.
            handed = hand_over(server_of(box, scheme), a_mail())
            assert handed.outcome == "not_sent"
            assert "certificate" in handed.said
            assert box.arrived == []


def test_nothing_is_sent_where_the_server_offers_no_encryption() -> None:
    with a_mailbox() as box:
        handed = hand_over(server_of(box, "smtp"), a_mail())
        assert handed.outcome == "not_sent"
        assert "encryption" in handed.said
        assert box.arrived == []


def test_a_wrong_password_is_named_and_not_repeated(tmp_path: Path) -> None:
    with a_mailbox("starttls", tmp_path, login=("desk", "right")) as box:
        handed = hand_over(server_of(box, "smtp", "desk:secret@"), a_mail(), ca_file=box.ca_file)
        assert handed.outcome == "not_sent"
        assert "password" in handed.said
        assert "secret" not in handed.said


def test_a_refused_recipient_is_certainly_not_told() -> None:
    with a_mailbox() as box:
        box.faults.append("refuse")
        handed = hand_over(MailServer.read(box.url), a_mail())
        assert (handed.outcome, handed.said) == ("not_sent", "the mail server refuses the recipient (550)")


def test_a_server_that_is_busy_takes_nothing() -> None:
    with a_mailbox() as box:
        box.faults.append("busy")
        assert hand_over(MailServer.read(box.url), a_mail()).outcome == "not_sent"


def test_a_link_that_breaks_after_the_text_leaves_it_unclear() -> None:
    with a_mailbox() as box:
        box.faults.append("hang-up-after-text")
        assert hand_over(MailServer.read(box.url), a_mail()).outcome == "unclear"


def test_a_server_that_is_not_there_is_not_reached() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        handed = hand_over(MailServer("127.0.0.1", taken.getsockname()[1], "none"), a_mail())
    assert handed.outcome == "not_sent"


@pytest.mark.parametrize(
    "url",
    ["mail.shop", "http://mail.shop", "smtp://", "smtp://h:port", "smtp+plain://desk:secret@h", "smtp://mail.shop/x"],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadServer) as caught:
        MailServer.read(url)
    assert "secret" not in str(caught.value)
    assert "mail.shop" not in str(caught.value)


def test_ports_are_those_of_the_protection() -> None:
    assert [MailServer.read(f"{scheme}://h").port for scheme in ("smtp", "smtps", "smtp+plain")] == [587, 465, 25]
