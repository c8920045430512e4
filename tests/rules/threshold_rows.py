"""Reads `threshold_cases.md`: each table row as a case, with what its section and the page say of the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from carriers.money import Money
from connector.rules.exchange import ExchangeRate
from connector.rules.facts import CallFacts, CartSums, Destination, LineFacts, Priced, Silent, Step
from connector.rules.thresholds import Threshold
from connector.words.reason import Reason

PAGE = Path(__file__).with_name("threshold_cases.md")
Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One row: `cells` are its own and what it inherits."""

    section: str
    cells: Cells

    def __str__(self) -> str:
        return f"{self.section}: {self.cells['case']}"

    @property
    def currency(self) -> str:
        return self.cells["in"]

    def thresholds(self) -> list[Threshold]:
        cells = self.cells
        found = [_threshold("first", cells["currency"], cells["limit"], cells.get("rule", ""), cells)]
        if cells.get("and_limit"):
            rule = cells.get("and_rule", "")
            found.append(_threshold("second", cells["and_currency"], cells["and_limit"], rule, cells))
        return found

    def call(self) -> CallFacts:
        cells = self.cells
        tags: frozenset[str] | None = frozenset()
        if cells["customer"] == "?":
            tags = None
        elif cells["customer"] != "guest":
            tags = frozenset(cells["customer"].split(","))
        return CallFacts(
            currency=self.currency,
            lines=tuple(_line(text, self.currency) for text in _parts(cells.get("lines", ""))),
            sums=self._sums(),
            destination=_destination(cells["to"]),
            customer_tags=tags,
            guest=cells["customer"] == "guest",
            rates=tuple(_rate(text) for text in _parts(cells.get("rate", ""))),
            silent=tuple(_silent(text) for text in _parts(cells.get("silent", ""))),
        )

    def _sums(self) -> CartSums | None:
        cells = self.cells
        if not cells.get("subtotal"):
            return None
        return CartSums(
            subtotal=self.minor(cells["subtotal"]),
            discount=self._known("discount", "0"),
            total=self._known("total", "?"),
            tax=cells.get("tax") or "unknown",  # type: ignore[arg-type]
            shipping_discount=self._known("shipping_discount", "?"),
        )

    def _known(self, name: str, default: str) -> int | None:
        text = self.cells.get(name) or default
        return None if text == "?" else self.minor(text)

    def minor(self, text: str) -> int:
        return Money.parse(text, self.currency).minor

    def services(self, column: str = "services") -> list[Priced]:
        found = [_service(text, self.currency) for text in _parts(self.cells.get(column, ""))]
        return [each._replace(source="safety") for each in found] if column == "safety" else found

    def prices(self) -> dict[str, int]:
        """What is expected of every service."""
        if "free" in self.cells:
            found = {each.code: each.price.minor for each in self.services()}
            if self.cells["free"] == "yes":
                found["std"] = 0
            return {"std": found["std"]}
        pairs = (text.split() for text in _parts(self.cells["prices"]))
        return {code: self.minor(amount) for code, amount in pairs}


def cases() -> list[Case]:
    """Every row of the page, in its order."""
    return list(_read(PAGE.read_text(encoding="utf-8").splitlines()))


def _read(lines: list[str]) -> Iterator[Case]:
    page: Cells = {}
    section, own, header = "", dict[str, str](), list[str]()
    for line in lines:
        if line.startswith("## "):
            section, own, header = line.removeprefix("## "), {}, []
        elif found := re.fullmatch(r"- (\w+): (.*)", line):
            (own if section else page)[found[1]] = found[2]
        elif line.startswith("| ---"):
            continue
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not header:
                header = cells
                continue
            assert len(cells) == len(header), line
            told = {name: cell for name, cell in zip(header, cells, strict=True) if cell or name in _MAY_BE_EMPTY}
            yield Case(section, page | own | told)


_MAY_BE_EMPTY = {"frees", "services", "silent", "prices"}


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _threshold(name: str, currency: str, limit: str, rule: str, cells: Cells) -> Threshold:
    body: dict[str, Any] = {"name": name, "currency": currency, "amount": limit, "faster": cells["faster"]}
    body |= _freed(cells["frees"])
    excludes: dict[str, Any] = {}
    for part in _parts(rule):
        key, _, value = part.partition("=")
        listed = value.split(",")
        match key:
            case "where":
                body["where"] = listed
            case "tags":
                body["customer_tags"] = listed
            case "not_tags" | "not_in" | "not_skus" | "not_to":
                excludes[{"not_tags": "tags", "not_in": "collections", "not_skus": "skus"}.get(key, "places")] = listed
            case "hazmat":
                excludes["hazmat"] = value == "yes"
            case "unit_over_g":
                excludes[key] = int(value)
            case "tiers":
                body["tiers"] = [_tier(text) for text in listed]
            case _:
                body[key] = {"yes": True, "no": False}.get(value, value)
    return Threshold.model_validate({**body, "excludes": excludes})


def _freed(text: str) -> dict[str, Any]:
    """`standard` is a class, `*a,b` are services, `**` is every service, nothing is the cheapest."""
    if text.startswith("*"):
        return {"services": text[1:].split(",")}
    return {"service_class": text}


def _tier(text: str) -> dict[str, Any]:
    amount, freed, price = text.split(":")
    return {"amount": amount, "price": price, **_freed(freed)}


_WORDS: dict[str, dict[str, Any]] = {
    "digital": {"requires_shipping": False},
    "gift": {"gift_card": True, "requires_shipping": False},
    "untaxed": {"taxable": False},
    "hazmat": {"hazmat": "3"},
}


def _line(text: str, currency: str) -> LineFacts:
    price, *words = text.split()
    amount, _, quantity = price.partition("x")
    said: dict[str, Any] = {}
    for word in words:
        if word in _WORDS:
            said |= _WORDS[word]
        elif word.startswith("#"):
            said["sku"] = word[1:]
        elif word.startswith("tag:"):
            said["tags"] = frozenset({word[4:]})
        elif word.startswith("in:"):
            said["collections"] = frozenset({word[3:]})
        elif word.startswith("off:"):
            said["discount"] = Money.parse(word[4:], currency).minor
        else:
            said["grams"] = int(word.removesuffix("g"))
    return LineFacts(int(quantity or 1), Money.parse(amount, currency).minor, **said)


def _destination(text: str) -> Destination | None:
    if text == "?":
        return None
    place, _, code = text.partition(":")
    country, _, province = place.partition("-")
    return Destination(country, province, postal_code=code)


def _rate(text: str) -> ExchangeRate:
    pair, _, rate = text.partition(":")
    of, _, into = pair.partition("/")
    return ExchangeRate(of=of, into=into, rate=Decimal(rate))


def _silent(text: str) -> Silent:
    carrier, known, offers = text.partition(":")
    if not known:
        return Silent(carrier)
    code, _, service_class = offers.partition("/")
    return Silent(carrier, frozenset({(code, service_class)}))


def _service(text: str, currency: str) -> Priced:
    code, service_class, amount, *words = text.split()
    price = Money.parse(amount, currency)
    said: dict[str, Any] = {}
    for word in words:
        if word.startswith("@"):
            said["source"] = word[1:]
        else:
            said["transit_days"] = int(word.removesuffix("d"))
    steps = (Step.to(Reason("step_carrier", {"carrier": "X"}), price),)
    return Priced(code, price, steps, service_class=service_class, **said)
