"""A rule as a form and back: inputs are made from the kinds' arguments, named by paths such as when.0.items.skus."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.managing.rules import BadRules
from connector.rules import kinds
from connector.rules.kinds import Argument, Kind
from connector.rules.ruleset import Fault, Rule

_MOST_PARTS = 60


@dataclass(frozen=True, slots=True)
class Input:
    """One field. `options` are pairs of value and text where it is a choice; `area` asks for several lines."""

    name: str
    label: str
    hint: str
    value: str
    options: tuple[tuple[str, str], ...] = ()
    area: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A condition or an action in the form: where it stands, its kind, and its fields."""

    path: str
    kind: Kind
    inputs: tuple[Input, ...]


def parts(rule: Mapping[str, Any], side: str, added: str = "") -> list[Part]:
    """The conditions (`side` when) or actions (then) of a rule's JSON, and an empty one of the kind `added`."""
    bodies = [*rule.get(side, ()), *([{"kind": added}] if _is_of(added, side) else [])]
    found = []
    for number, body in enumerate(bodies):
        kind, path = kinds.kind_named(body["kind"]), f"{side}.{number}"
        found.append(Part(path, kind, tuple(_inputs(kind.arguments, path, body))))
    return found


def read(typed: Mapping[str, str]) -> dict[str, Any]:
    """A rule's JSON from a sent form. Raises BadRules where a nested condition is not JSON."""
    body: dict[str, Any] = {
        "name": typed.get("name", "").strip(),
        "when": _read_parts(typed, "when"),
        "then": _read_parts(typed, "then"),
        "group": typed.get("group", "").strip(),
        "stop": typed.get("stop") == "yes",
        "enabled": typed.get("enabled") == "yes",
    }
    return {name: value for name, value in body.items() if value != _DEFAULTS.get(name)}


def field_of(fault: Fault) -> str:
    """The field that a fault is about: the path below the rule, without the kinds that pydantic names in it."""
    _, _, *rest = fault.path.split(".") if fault.path.startswith("rules.") else ("", "", *fault.path.split("."))
    names = {kind.name for kind in (*kinds.conditions(), *kinds.actions())}
    return ".".join(each for number, each in enumerate(rest) if number != 2 or each not in names)


def said(rule: Rule) -> tuple[list[str], list[str]]:
    """What a rule asks and does, a line each."""
    return [_line(each) for each in rule.when], [_line(each) for each in rule.then]


_DEFAULTS: Mapping[str, Any] = {"when": [], "group": "", "stop": False, "enabled": True}


def _line(term: Any) -> str:
    body = term.model_dump(mode="json")
    kind = body.pop("kind")
    given = ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in body.items())
    return f"{kind.replace('_', ' ')}: {given}" if given else kind.replace("_", " ")


def _short(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_of(kind: str, side: str) -> bool:
    return kind in {each.name for each in (kinds.conditions() if side == "when" else kinds.actions())}


def _inputs(arguments: Sequence[Argument], path: str, body: Mapping[str, Any], above: str = "") -> Iterator[Input]:
    for argument in arguments:
        name, value = f"{path}.{argument.name}", body.get(argument.name)
        label = f"{above}{argument.name.replace('_', ' ')}"
        if argument.part is None:
            yield _input(argument, name, label, value)
        elif argument.many:
            for number, inner in enumerate([*(value or ()), {}]):
                inside = f"{label} {number + 1}: "
                yield from _inputs(kinds.arguments_of(argument.part), f"{name}.{number}", inner, inside)
        else:
            yield from _inputs(kinds.arguments_of(argument.part), name, value or {}, f"{label}: ")


def _input(argument: Argument, name: str, label: str, value: Any) -> Input:
    hint = argument.description
    if argument.takes == "condition":
        return Input(name, label, hint, "" if value is None else json.dumps(value, indent=1), area=True)
    if argument.many:
        return Input(name, label, hint, ", ".join(str(each) for each in value or ()))
    empty = () if argument.required else (("", argument.default or "-"),)
    if argument.takes == "choice":
        return Input(name, label, hint, str(value or ""), (*empty, *((each, each) for each in argument.choices)))
    if argument.takes == "yes_no":
        shown = "" if value is None else "yes" if value else "no"
        return Input(name, label, hint, shown, (*empty, ("yes", "yes"), ("no", "no")))
    return Input(name, label, hint, "" if value is None else str(value))


def _read_parts(typed: Mapping[str, str], side: str) -> list[dict[str, Any]]:
    found = []
    for number in range(_MOST_PARTS):
        path = f"{side}.{number}"
        name = typed.get(f"{path}.kind")
        if name is None:
            break
        if typed.get(f"{path}.remove") != "yes" and _is_of(name, side):
            found.append({"kind": name, **_read(kinds.kind_named(name).arguments, path, typed)})
    return found


def _read(arguments: Sequence[Argument], path: str, typed: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for argument in arguments:
        name = f"{path}.{argument.name}"
        if argument.part is not None:
            value = _read_part(argument, argument.part, name, typed)
        else:
            value = _value(argument, name, typed.get(name, "").strip())
        if value not in (None, [], {}):
            found[argument.name] = value
    return found


def _read_part(argument: Argument, part: Any, name: str, typed: Mapping[str, str]) -> Any:
    inner = kinds.arguments_of(part)
    if not argument.many:
        return _read(inner, name, typed)
    rows = []
    for number in range(_MOST_PARTS):
        if not any(key.startswith(f"{name}.{number}.") for key in typed):
            break
        rows.append(_read(inner, f"{name}.{number}", typed))
    return [row for row in rows if row]


def _value(argument: Argument, name: str, text: str) -> Any:
    if not text:
        return None
    if argument.takes == "condition":
        try:
            return json.loads(text)
        except ValueError as error:
            raise BadRules([Fault(name, f"this is not JSON ({error})")]) from error
    if argument.many:
        return [each.strip() for each in text.split(",") if each.strip()]
    return text == "yes" if argument.takes == "yes_no" else text
