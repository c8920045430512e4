"""Texts of the desk's pages, by code, from catalogues of their own: `desk/LANGUAGE.json`, `desk/PART.LANGUAGE.json`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

LANGUAGE = "en"


def say(code: str, /, **params: object) -> str:
    """The text of a code with its parameters; a code without a text shows itself.

    Where `n` is one, the text of `CODE.one` is said, if there is one.
    """
    known = texts()
    text = (known.get(f"{code}.one") if str(params.get("n")) == "1" else None) or known.get(code)
    if text is None:
        return code
    return text.format_map(_Known((name, str(value)) for name, value in params.items()))


class _Known(dict[str, str]):
    """The parameters of a text; one that was not given shows as a gap."""

    def __missing__(self, name: str) -> str:
        return "…"


@cache
def texts(language: str = LANGUAGE) -> dict[str, str]:
    """Every text of a language. Raises ValueError where two files hold one code."""
    found: dict[str, str] = {}
    folder = files("connector.words").joinpath("catalogues").joinpath("desk")
    for source in sorted(folder.iterdir(), key=lambda each: each.name):
        if source.name == f"{language}.json" or source.name.endswith(f".{language}.json"):
            part: dict[str, str] = json.loads(source.read_text(encoding="utf-8"))
            if part.keys() & found.keys():
                raise ValueError(f"{source.name} repeats {sorted(part.keys() & found.keys())}")
            found |= part
    return found
