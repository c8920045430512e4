"""The widget's script and the theme app extension that carries it: their weight, and Shopify's documented rules."""

from __future__ import annotations

import gzip
import json
import re
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from connector.http.storefront.script import FILE, script
from connector.words.locale import LANGUAGES

ROOT = Path(__file__).resolve().parents[3]
EXTENSION = ROOT / "deploy" / "shopify" / "extensions" / "waybill-estimate"


def test_the_script_weighs_less_than_12_kb_gzipped() -> None:
    assert len(gzip.compress(FILE.read_bytes(), 9)) < 12_000
    assert len(script().packed) < 12_000


def test_the_script_stores_nothing_and_names_no_other_server() -> None:
    text = FILE.read_text(encoding="utf-8")
    for word in ("document.cookie", "localStorage", "sessionStorage", "indexedDB", "innerHTML", "eval(", "://"):
        assert word not in text
    assert "credentials: 'omit'" in text


def test_the_script_has_its_words_in_every_language() -> None:
    spoken = re.findall(r"^    ([a-z]{2}): \[", FILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(spoken) == sorted(LANGUAGES)


def test_the_extensions_copy_is_made_of_this_script() -> None:
    """Else run scripts/theme-extension."""
    made = (EXTENSION / "assets" / FILE.name).read_text(encoding="utf-8")
    assert sha256(FILE.read_bytes()).hexdigest()[:12] in made.partition("\n")[0]


def test_the_extension_keeps_shopifys_limits() -> None:
    """Theme-check: 10 kB for an app block's script; Shopify: 100 kB of Liquid, and no folders inside folders."""
    assert (EXTENSION / "assets" / FILE.name).stat().st_size < 10_000
    assert sum(each.stat().st_size for each in EXTENSION.rglob("*.liquid")) < 100_000
    folders = {each.name for each in EXTENSION.iterdir() if each.is_dir()}
    assert folders <= {"assets", "blocks", "snippets", "locales"}
    assert [each for folder in folders for each in (EXTENSION / folder).iterdir() if each.is_dir()] == []
    config = tomllib.loads((EXTENSION / "shopify.extension.toml").read_text(encoding="utf-8"))
    assert [(each["type"], each["handle"]) for each in config["extensions"]] == [("theme", "waybill-estimate")]


def block() -> tuple[str, dict[str, Any]]:
    """The block's Liquid and its schema."""
    text = (EXTENSION / "blocks" / "estimate.liquid").read_text(encoding="utf-8")
    found = re.search(r"{% schema %}(.+?){% endschema %}", text, re.DOTALL)
    assert found is not None
    return text[: found.start()], json.loads(found[1])


def test_the_blocks_schema_is_valid_and_each_setting_is_used() -> None:
    liquid, schema = block()
    assert schema["target"] in {"section", "head", "body", "compliance_head"}
    assert (EXTENSION / "assets" / schema["javascript"]).is_file()
    for setting in schema["settings"]:
        assert {"type", "id", "label", "default"} <= setting.keys()
        assert f"block.settings.{setting['id']}" in liquid
    opened = re.findall(r"{%-? *(if|unless|for)\b", liquid)
    closed = re.findall(r"{%-? *end(if|unless|for)\b", liquid)
    assert sorted(opened) == sorted(closed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_text_of_the_schema_is_there_in_each_language(language: str) -> None:
    _, schema = block()
    default = ".default" if language == "en" else ""
    texts = json.loads((EXTENSION / "locales" / f"{language}{default}.schema.json").read_text(encoding="utf-8"))
    for path in re.findall(r'"t:([a-z_.]+)"', json.dumps(schema)):
        at: Any = texts
        for part in path.split("."):
            at = at[part]
        assert isinstance(at, str)
    assert json.loads((EXTENSION / "locales" / f"{language}{default}.json").read_text(encoding="utf-8"))["name"]
