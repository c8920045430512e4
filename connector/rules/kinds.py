"""Every kind of condition and action with its arguments, read from the models, for forms, docs and commands."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connector.rules.actions import Action, AnyAction
from connector.rules.conditions import AnyCondition, Condition
from connector.rules.term import Term, said

ArgumentType = Literal["text", "number", "whole", "yes_no", "choice", "date", "time", "part", "condition"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a kind. `many`: a list. `part` is the model behind `part`; `choices` those of `choice`."""

    name: str
    takes: ArgumentType
    required: bool
    many: bool
    description: str
    default: str = ""
    choices: tuple[str, ...] = ()
    part: type[Term] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of condition or action. `when` says what it is asked of, or in which phase it acts."""

    name: str
    help: str
    when: str
    arguments: tuple[Argument, ...]
    model: type[Term]


@cache
def conditions() -> tuple[Kind, ...]:
    """Every kind of condition."""
    return tuple(_kind(each, each.scope) for each in _members(AnyCondition) if issubclass(each, Condition))


@cache
def actions() -> tuple[Kind, ...]:
    """Every kind of action."""
    return tuple(_kind(each, each.phase) for each in _members(AnyAction) if issubclass(each, Action))


def arguments_of(model: type[Term]) -> tuple[Argument, ...]:
    """The arguments of a model, in their order."""
    return tuple(_argument(name, field) for name, field in model.model_fields.items() if name != "kind")


def kind_named(name: str) -> Kind:
    """The kind of that name. Raises KeyError."""
    return {each.name: each for each in (*conditions(), *actions())}[name]


def reference() -> str:
    """All kinds as Markdown: what docs/rules.md holds."""
    return "\n".join((*_listed("Conditions", conditions()), *_listed("Actions", actions()), *_parts()))


def _listed(title: str, kinds: tuple[Kind, ...]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    for kind in kinds:
        yield f"### `{kind.name}`"
        yield ""
        yield f"{kind.help} ({_WHEN[kind.when]})"
        yield ""
        yield from _table(kind.arguments)


def _parts() -> Iterator[str]:
    seen: dict[str, type[Term]] = {}
    waiting = [argument.part for kind in (*conditions(), *actions()) for argument in kind.arguments if argument.part]
    while waiting:
        part = waiting.pop(0)
        if part.__name__ not in seen:
            seen[part.__name__] = part
            waiting += [argument.part for argument in arguments_of(part) if argument.part]
    yield "## Parts of arguments"
    yield ""
    for name, part in seen.items():
        yield f"### {name}"
        yield ""
        yield part.help
        yield ""
        yield from _table(arguments_of(part))


def _table(arguments: tuple[Argument, ...]) -> Iterator[str]:
    if not arguments:
        yield "It takes nothing."
        yield ""
        return
    yield "| argument | what it takes | default | what it does |"
    yield "| --- | --- | --- | --- |"
    for each in arguments:
        default = "needed" if each.required else each.default or "none"
        yield f"| `{each.name}` | {_takes(each)} | {default} | {each.description} |"
    yield ""


_WHEN = {
    "call": "of the whole call",
    "service": "of each service",
    "price": "of each service's price when the rule's turn comes",
    "refuse": "before anything else",
    "shape": "after free-shipping thresholds",
}
_TYPES = {"text": "text", "number": "a number", "whole": "a whole number", "yes_no": "yes or no", "date": "a date",
          "time": "a time of day", "condition": "a condition"}  # fmt: skip


def _takes(argument: Argument) -> str:
    if argument.takes == "choice":
        found = " or ".join(f"`{choice}`" for choice in argument.choices)
    elif argument.part is not None:
        found = argument.part.__name__
    else:
        found = _TYPES[argument.takes]
    return f"list: {found}" if argument.many else found


def _members(union: Any) -> tuple[type[Any], ...]:
    return get_args(get_args(union)[0])


def _kind(model: type[Any], when: str) -> Kind:
    return Kind(model.model_fields["kind"].default, model.help, when, arguments_of(model), model)


def _argument(name: str, field: FieldInfo) -> Argument:
    required = field.is_required()
    default = None if required else field.get_default(call_default_factory=True)
    plain, many = _plain(field.annotation)
    found, choices, part = _type(plain)
    return Argument(name, found, required, many, field.description or "", _shown(default), choices, part)


def _shown(default: Any) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return said(default)


def _plain(annotation: Any) -> tuple[Any, bool]:
    """The annotation without None, Annotated and tuple; whether it was a tuple."""
    many = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in {Union, types.UnionType}:
            left = [each for each in get_args(annotation) if each is not type(None)]
            if len(left) != 1:
                return annotation, many
            annotation = left[0]
        elif origin is tuple:
            annotation, many = get_args(annotation)[0], True
        else:
            return annotation, many


def _type(plain: Any) -> tuple[ArgumentType, tuple[str, ...], type[Term] | None]:
    if get_origin(plain) is Literal:
        return "choice", tuple(str(each) for each in get_args(plain)), None
    if get_origin(plain) in {Union, types.UnionType}:
        return "condition", (), None
    simple: dict[Any, ArgumentType] = {
        bool: "yes_no", int: "whole", Decimal: "number", date: "date", time: "time", str: "text"
    }  # fmt: skip
    if plain in simple:
        return simple[plain], (), None
    assert issubclass(plain, BaseModel)  # noqa: S101 - nothing else is an argument; a test reads every kind.
    return "part", (), plain
