"""Answers to pages: an estimate as JSON, and refusals that a page may show to nobody."""

from __future__ import annotations

import json
from typing import Any

from carriers.money import Money
from connector.http.errors import JSON
from connector.quotes.estimate import Estimate, Option
from webhooks.receiver import Reply

_PRIVATE = (("cache-control", "no-store"), ("x-content-type-options", "nosniff"))

_SENTENCES = {
    "malformed": "The body is no JSON.",
    "missing": "This field is needed.",
    "wrong_type": "This field has the wrong type.",
    "out_of_range": "This value cannot be.",
    "too_many": "There are too many of them.",
    "unknown_currency": "A currency is three letters, such as EUR.",
    "not_a_country": "A country is two letters, such as AT.",
    "no_rate": "The shop has no exchange rate for this currency.",
    "origin_not_allowed": "Pages of this origin may not ask.",
    "too_often": "Too many questions; please come again.",
    "too_many_places": "Too many destinations today.",
    "signature_missing": "The call is not signed.",
    "signature_wrong": "The signature is not Shopify's.",
    "expired": "The signature is too old.",
}
Headers = tuple[tuple[str, str], ...]


def refusal(status: int, code: str, field: str = "", headers: Headers = ()) -> Reply:
    """A refusal in the form that every refusal of ours has."""
    error = {"code": code, "message": _SENTENCES[code], "field": field}
    body = json.dumps({"error": {name: value for name, value in error.items() if value}}).encode()
    return Reply(status, body, (JSON, *_PRIVATE, *headers))


def write_estimate(estimate: Estimate, headers: Headers = ()) -> Reply:
    """The answer. Equal estimates give equal bytes."""
    way = estimate.progress
    body: dict[str, Any] = {
        "outcome": estimate.outcome,
        "options": [_option(each) for each in estimate.options],
        "message": estimate.message,
        "progress": None
        if way is None
        else {
            "missing": None if way.missing is None else _money(way.missing),
            "percent": way.percent,
            "text": way.text,
        },
        "language": estimate.language,
        "direction": "rtl" if estimate.right_to_left else "ltr",
        "valid_until": None if estimate.until is None else estimate.until.isoformat(),
    }
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Reply(200, text.encode("utf-8", "replace"), (JSON, *_PRIVATE, *headers))


def _option(option: Option) -> dict[str, Any]:
    return {
        "code": option.code,
        "name": option.name,
        "description": option.description,
        "price": _money(option.price),
        "shown": _money(option.shown),
        "text": option.text,
        "earliest": None if option.earliest is None else option.earliest.isoformat(),
        "latest": None if option.latest is None else option.latest.isoformat(),
        "when": option.when,
    }


def _money(money: Money) -> dict[str, str]:
    return {"amount": f"{money.amount:f}", "currency": money.currency}
