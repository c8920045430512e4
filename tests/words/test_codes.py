"""Every code that is used has a text, and every matter for a person has a cure."""

from __future__ import annotations

import ast
import string
from pathlib import Path
from typing import get_args

from carriers.deliverable import Code
from carriers.money import Money
from connector.catalogue.customs import FIELDS
from connector.labels.claim_windows import CODES
from connector.labels.verifying import PLACE
from connector.quotes.decide import PROBLEM_CODES
from connector.words.reason import Reason, _catalogue, codes

ROOT = Path(__file__).resolve().parents[2] / "connector"


def _put_before_a_person() -> set[str]:
    """Codes in calls of need_person, hold or _give_up, called at once or handed to a transaction."""
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            names = {getattr(each, "id", getattr(each, "attr", "")) for each in (node.func, *node.args)}
            if names & {"need_person", "hold", "_give_up"}:
                for each in ast.walk(node):
                    if isinstance(each, ast.Call) and getattr(each.func, "id", "") == "Reason":
                        found |= {
                            part.value
                            for part in each.args
                            if isinstance(part, ast.Constant) and isinstance(part.value, str)
                        }
    return found


def _used() -> set[str]:
    used = {f"problem_{code}" for code in PROBLEM_CODES} | {f"address_{code}" for code in get_args(Code)}
    used |= {f"field_{name}" for name in (*FIELDS, *PLACE)} | set(CODES)
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason" and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    used.add(code.value)
    return used


def test_every_code_that_is_used_has_a_text() -> None:
    assert len(_used()) > 40
    assert _used() - codes() == set()


def test_every_text_is_used() -> None:
    assert {code for code in codes() if not code.endswith("_cure")} - _used() == set()


def test_what_is_put_before_a_person_has_a_cure() -> None:
    shown = _put_before_a_person() | set(CODES)
    assert len(shown) > 5
    assert {f"{code}_cure" for code in shown} - codes() == set()


def test_every_cure_belongs_to_a_code() -> None:
    assert {code.removesuffix("_cure") for code in codes() if code.endswith("_cure")} - codes() == set()


def test_a_text_is_made_with_its_parameters_in_the_language_asked_for() -> None:
    assert Reason("offer_days", {"days": 3}).say("en-CA") == "Working days until delivery: 3"
    assert Reason("dearer_double", {"price": Money(1250, "USD")}).say("xx").endswith("for no more than 12.50 USD.")


def test_a_reason_survives_being_stored() -> None:
    reason = Reason("condition_subtotal_below", {"missing": Money(1, "JPY"), "limit": Money(5000, "JPY")})
    assert Reason.from_json(reason.to_json()) == reason


def test_an_unknown_code_or_parameter_is_shown_and_crashes_nothing() -> None:
    assert Reason("from_a_later_version").say() == "from_a_later_version"
    assert "…" in Reason("offer_days").say()


def test_texts_hold_no_internal_terms() -> None:
    """A merchant reads no term of ours, and no template has a positional field."""
    for code, text in _catalogue("en").items():
        assert not {"gid://", "JSON", "HTTP", "null", "None", "workflow", "enqueue"} & set(text.split()), code
        assert all(name != "" for _, name, _, _ in string.Formatter().parse(text) if name is not None), code
