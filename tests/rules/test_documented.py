"""docs/rules.md holds every kind with its arguments, as the models say them, and its example is sound."""

from __future__ import annotations

import json
import re
from pathlib import Path

from connector.rules import kinds
from connector.rules.ruleset import RuleSet

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")


def test_every_kind_is_documented_as_its_model_says() -> None:
    for kind in (*kinds.conditions(), *kinds.actions()):
        assert f"### `{kind.name}`" in DOCUMENT, f"write {kind.name} into docs/rules.md"
    assert kinds.reference().strip() in DOCUMENT, "docs/rules.md differs from connector.rules.kinds.reference()"


def test_every_kind_and_argument_says_in_one_line_what_it_is() -> None:
    for kind in (*kinds.conditions(), *kinds.actions()):
        assert kind.help.endswith(".")
        assert len(kind.help) < 130
        assert all(argument.description for argument in kind.arguments), kind.name


def test_the_example_is_a_rule_set() -> None:
    for block in re.findall(r"```json\n(.+?)```", DOCUMENT, re.DOTALL):
        assert RuleSet.model_validate(json.loads(block)).rules
