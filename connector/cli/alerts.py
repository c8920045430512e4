"""Commands about alerts: try whether they arrive."""

from __future__ import annotations

import click

from connector.attention.alerts import Channel
from connector.cli.output import EXIT_FAILED, Speaker, command, in_house
from connector.smtp import Handed
from connector.storage.ids import new_id
from connector.wiring import House, post_of
from webhooks.errors import WaybillError

_WAYS: dict[Channel, str] = {"mail": "The mail server took it", "webhook": "The address took it"}
_OUTCOMES = {
    "not_sent": "It was not sent: {said}.",
    "unclear": "It may or may not have arrived: {said}.",
}


class NoAlerts(WaybillError):
    """Nobody is told of anything: no way to send alerts is set up."""


def add_to(group: click.Group) -> None:
    """Register the commands."""
    alert = click.Group("alert", help="Alerts by mail or webhook.")
    group.add_command(alert)

    @command(alert, "test")
    def test(speaker: Speaker) -> None:
        """Send a test by every way that is set up, and say what came of it.

        Exit code 1 if one of them did not work.
        """

        async def run(house: House) -> dict[Channel, Handed]:
            now = house.clock.now()
            return await post_of(house).test(now, new_id("msg", now))

        done = in_house(run)
        if not done:
            raise NoAlerts(
                "No way to send alerts is set up: set WAYBILL_SMTP_URL and WAYBILL_ALERT_MAIL_TO, or WAYBILL_ALERT_URL "
                "and WAYBILL_ALERT_SECRET."
            )
        rows = [{"channel": way, "outcome": each.outcome, "said": each.said} for way, each in done.items()]
        speaker.answer({"alerts": rows}, [f"{way}: {_text(way, each)}" for way, each in done.items()])
        if any(each.outcome != "sent" for each in done.values()):
            raise SystemExit(EXIT_FAILED)


def _text(way: Channel, handed: Handed) -> str:
    if handed.outcome == "sent":
        return f"{_WAYS[way]}. See that it arrives."
    return _OUTCOMES[handed.outcome].format(said=handed.said)
