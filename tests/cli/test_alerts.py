"""`waybill alert test` says by which way alerts leave, and what is wrong if one does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.shell import Shell, shell_in
from tests.docs.test_cli_doc import holds
from tests.simulators.mailbox import Mailbox, a_mailbox


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return shell_in(tmp_path)


def mail_to(box: Mailbox) -> dict[str, str]:
    """The variables of alerts by this server, without their prefix."""
    return {"smtp_url": box.url, "alert_mail_to": "desk@example.com"}


def test_a_test_arrives_and_says_so(shell: Shell) -> None:
    with a_mailbox() as box:
        said = json.loads(shell.ok("alert", "test", "--json", **mail_to(box)))
        holds("waybill alert test", said)
        assert said["alerts"] == [{"channel": "mail", "outcome": "sent", "said": ""}]
        assert box.subjects == ["[Waybill] Test: alerts arrive"]
        assert "See that it arrives." in shell.ok("alert", "test", **mail_to(box))


def test_a_mail_server_that_refuses_is_named(shell: Shell) -> None:
    with a_mailbox() as box:
        box.faults.append("refuse")
        done = shell.run("alert", "test", **mail_to(box))
    assert done.exit_code == 1
    assert "It was not sent: the mail server refuses the recipient (550)." in done.output


def test_without_a_way_it_says_what_to_set(shell: Shell) -> None:
    done = shell.run("alert", "test")
    assert done.exit_code == 1
    assert "set WAYBILL_SMTP_URL and WAYBILL_ALERT_MAIL_TO" in done.output


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WAYBILL_ALERT_MAIL_TO", "desk@example.com", "needs WAYBILL_SMTP_URL"),
        ("WAYBILL_ALERT_URL", "https://alerts.example.com", "needs WAYBILL_ALERT_SECRET"),
        ("WAYBILL_ALERT_URL", "alerts.example.com", "WAYBILL_ALERT_URL"),
        ("WAYBILL_SMTP_URL", "mail.example.com:secret", "WAYBILL_SMTP_URL"),
        ("WAYBILL_ALERT_SECRET", "secret", "WAYBILL_ALERT_SECRET"),
        ("WAYBILL_ALERT_MAIL_TO", "not an address", "WAYBILL_ALERT_MAIL_TO"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_not_repeated(
    shell: Shell, name: str, value: str, said: str
) -> None:
    done = shell.run("alert", "test", **{name.removeprefix("WAYBILL_").lower(): value})
    assert done.exit_code != 0
    assert said in done.output
    assert "secret" not in done.output
