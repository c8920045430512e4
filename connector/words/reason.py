"""A reason, a problem or a step as a code with typed parameters; its text is made only when it is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from carriers.money import Money
from connector.words.naming import HOLDS_NAMES, in_words

Param = str | int | bool | Money


class Reason(msgspec.Struct, frozen=True, gc=False):
    """A code of the catalogue with its parameters. Parameters never hold personal data."""

    code: str
    params: Mapping[str, Param] = msgspec.field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"code": self.code, "params": {name: _to_json(value) for name, value in sorted(self.params.items())}}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Reason:
        """From what `to_json` stored."""
        return cls(body["code"], {name: _from_json(value) for name, value in body["params"].items()})

    def say(self, language: str = "en") -> str:
        """The text in that language (English where it has none); a code without a text shows itself."""
        template = _text(self.code, language)
        if template is None:
            return self.code
        said = _Known((name, str(value)) for name, value in self.params.items())
        if (named := HOLDS_NAMES.get(self.code)) is not None and named in said:
            said[named] = in_words(said[named], lambda code: _text(code, language))
        return template.format_map(said)


class _Known(dict[str, str]):
    """The parameters of a text; one that an older version did not store shows as a gap."""

    def __missing__(self, name: str) -> str:
        return "…"


def _text(code: str, language: str) -> str | None:
    """A code's text in that language, else in English."""
    return _catalogue(language).get(code) or _catalogue("en").get(code)


def _catalogue(locale: str) -> dict[str, str]:
    language = locale.replace("_", "-").partition("-")[0].lower()
    return _load().get(language, {})


@cache
def _load() -> dict[str, dict[str, str]]:
    folder = files("connector.words").joinpath("catalogues")
    return {
        source.name.removesuffix(".json"): json.loads(source.read_text(encoding="utf-8"))
        for source in folder.iterdir()
        if source.name.endswith(".json")
    }


def codes() -> frozenset[str]:
    """Every code that has an English text."""
    return frozenset(_catalogue("en"))


def _to_json(value: Param) -> Any:
    return {"minor": value.minor, "currency": value.currency} if isinstance(value, Money) else value


def _from_json(value: Any) -> Param:
    return Money(value["minor"], value["currency"]) if isinstance(value, dict) else value
