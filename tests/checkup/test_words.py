"""What a check-up and the doctor say can be done as it is said."""

from __future__ import annotations

import re

import click
import pytest

from connector.checkup.finding import Finding
from connector.cli.root import waybill
from connector.words.reason import Reason, _catalogue

OURS = {code: text for code, text in _catalogue("en").items() if code.startswith(("check_", "checked_", "doctor_"))}
CAUSES = sorted(code.removesuffix("_cure") for code in OURS if code.endswith("_cure"))


def test_there_are_many_causes() -> None:
    assert len(CAUSES) > 60


@pytest.mark.parametrize("code", sorted(code for code in OURS if "`waybill " in OURS[code]))
def test_commands_that_are_named_are_there(code: str) -> None:
    for words in re.findall(r"`waybill ([a-z -]+)", OURS[code]):
        group: click.Command = waybill
        for word in words.split():
            assert isinstance(group, click.Group), words
            assert word in group.commands, f"there is no command `waybill {words}`"
            group = group.commands[word]


@pytest.mark.parametrize("code", CAUSES)
def test_a_cause_is_a_sentence_and_its_cure_needs_nothing_that_the_cause_does_not_hold(code: str) -> None:
    said, cure = OURS[code], OURS[f"{code}_cure"]
    assert said.startswith(("{", "`")) or said[0].isupper()
    assert said.endswith((".", "}"))
    assert cure.endswith(".")
    holes = set(re.findall(r"\{(\w+)\}", cure)) - {"link"}
    assert holes <= set(re.findall(r"\{(\w+)\}", said))


def test_a_cure_names_the_page_to_open() -> None:
    page = "https://admin.shopify.com/store/x/settings/plan"
    assert page in Finding(Reason("check_plan", {"plan": "Basic"}), "stops_rates", link=page).cure
