"""Texts on paper, in the language of who reads them: one catalogue for each language in `catalogues/paper`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "ps", "ckb"})
"""Languages whose lines begin at the right."""


def language_of(locale: str) -> str:
    """The language of a locale that slips are printed in; English where there is no catalogue of it."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in _catalogues() else "en"


def say(code: str, locale: str, /, **params: object) -> str:
    """The text of a code in that language, or in English; a code without a text shows itself."""
    catalogues = _catalogues()
    text = catalogues[language_of(locale)].get(code) or catalogues["en"].get(code, code)
    return text.format_map({name: str(value) for name, value in params.items()})


@cache
def _catalogues() -> dict[str, dict[str, str]]:
    folder = files("connector.words").joinpath("catalogues").joinpath("paper")
    return {
        source.name.removesuffix(".json"): json.loads(source.read_text(encoding="utf-8"))
        for source in folder.iterdir()
        if source.name.endswith(".json")
    }
