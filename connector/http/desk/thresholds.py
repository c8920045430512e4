"""Free shipping: the shop's thresholds as a table and a form, the store's own discount, and what paid orders show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from carriers.money import Money
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Download, Goto, NotThere, Page, View
from connector.managing import thresholds
from connector.managing.thresholds import ThresholdError
from connector.orders.due_report import FIELDS, report
from connector.rules.thresholds import Threshold
from connector.shop_settings import SettingsError
from connector.storage.settings_versions import StaleSettings
from connector.store import StoreError
from connector.words.spreadsheet import csv_bytes
from webhooks.errors import WaybillError

CLASSES = ("", "*", "economy", "standard", "express", "overnight", "services")
"""What the form offers to free: the cheapest, everything, a class, or services by their codes."""

_DAYS = 90


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The thresholds, the form for a new one or for `?edit=NAME`, and the report."""
    found = await house.database.run(report, ask.shop.id, ask.now - timedelta(days=_DAYS))
    if ask.query.get("format") == "csv":
        rows = [tuple("" if value is None else value for value in each.fields().values()) for each in found.orders]
        return Download(csv_bytes(FIELDS, rows), "text/csv", "free-shipping.csv")
    known = ask.shop.settings.rules.thresholds
    edited = next((each for each in known if each.name == ask.query.get("edit", "")), None)
    values: dict[str, Any] = {
        "thresholds": known,
        "money_of": lambda amount, currency: Money.parse(amount, currency),
        "edited": _typed(edited) if edited is not None else {},
        "classes": CLASSES,
        "currency": ask.shop.record.currency,
        "version": ask.shop.quoting.settings_version,
        "found": found,
        "days": _DAYS,
        "has_discounts": ask.shop.store.discounts is not None,
        "cache_min": ask.shop.store.capabilities.rate_cache_s // 60,
    }
    return View("thresholds.html", values)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Save, take out, publish to the store, take back."""
    here, typed, shop = f"{ask.base}/thresholds", ask.typed, ask.shop
    moved, name = house.clock_is_moved, typed.get("name", "").strip()
    try:
        match typed.get("do", ""):
            case "put":
                wanted = thresholds.read(_body(ask))
                if typed.get("to", "") == "draft":
                    await thresholds.draft(house.database, house.clock, shop, wanted, ask.actor)
                    return Goto(f"{ask.base}/rules", done="rules.drafted")
                version = typed.get("version", "")
                based_on = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1
                await thresholds.put(
                    house.database, house.clock, shop, wanted, ask.actor, clock_is_moved=moved, based_on=based_on
                )
                return Goto(here, done="thresholds.saved")
            case "remove":
                await thresholds.remove(house.database, house.clock, shop, name, ask.actor, clock_is_moved=moved)
                return Goto(here, done="thresholds.removed")
            case "publish":
                most = typed.get("up_to", "").strip()
                up_to = Money.parse(most, shop.record.currency) if most else None
                await thresholds.publish(
                    house.database, house.clock, shop, name, up_to, ask.actor, clock_is_moved=moved
                )
                return Goto(here, done="thresholds.published")
            case "unpublish":
                await thresholds.unpublish(house.database, house.clock, shop, name, ask.actor, clock_is_moved=moved)
                return Goto(here, done="thresholds.unpublished")
    except StaleSettings:
        return await _with(house, ask, Complaint("settings.stale"))
    except (ThresholdError, SettingsError, StoreError, WaybillError) as error:
        return await _with(house, ask, Complaint(text=error.message, field=_FIELD_OF.get(error.detail, error.detail)))
    raise NotThere


_FIELD_OF = {"service_class": "frees", "excludes.tags": "not_tags", "excludes.places": "not_places"}


async def _with(house: DeskHouse, ask: Ask, complaint: Complaint) -> Answer:
    page = await show(house, replace(ask, query={}))
    return View(page.template, page.values, complaint) if isinstance(page, View) else page


def _body(ask: Ask) -> dict[str, Any]:
    """What was typed, upon what is stored under that name: fields that the form does not have stay."""
    typed = ask.typed
    name = typed.get("name", "").strip()
    stored = next((each for each in ask.shop.settings.rules.thresholds if each.name == name), None)
    body: dict[str, Any] = {} if stored is None else stored.model_dump(mode="json", exclude={"by_store"})
    frees = typed.get("frees", "")
    body |= {
        "name": name,
        "amount": typed.get("amount", "").strip(),
        "currency": body.get("currency") or ask.shop.record.currency,
        "service_class": frees if frees not in {"*", "services"} else "",
        "services": ["*"] if frees == "*" else _words(typed.get("services", "")) if frees == "services" else [],
        "faster": typed.get("faster", "pays_difference"),
        "where": _words(typed.get("where", "")),
        "customer_tags": _words(typed.get("customer_tags", "")),
        "tiers": [_tier(part) for part in _words(typed.get("tiers", ""))],
        "counts_digital": typed.get("counts_digital", "yes") == "yes",
    }
    excludes: dict[str, Any] = dict(body.get("excludes", {}))
    excludes |= {
        "tags": _words(typed.get("not_tags", "")),
        "places": _words(typed.get("not_places", "")),
        "hazmat": typed.get("not_hazmat", "no") == "yes",
    }
    return body | {"excludes": excludes}


def _typed(threshold: Threshold) -> Mapping[str, str]:
    """A threshold as the form has it."""
    services = threshold.services
    return {
        "name": threshold.name,
        "amount": f"{threshold.amount:f}",
        "frees": "*" if services == ("*",) else "services" if services else threshold.service_class,
        "services": "" if services == ("*",) else ", ".join(services),
        "faster": threshold.faster,
        "where": ", ".join(threshold.where),
        "customer_tags": ", ".join(threshold.customer_tags),
        "tiers": ", ".join(
            f"{tier.amount:f}={tier.service_class or '+'.join(tier.services)}"
            + (f"={tier.price:f}" if tier.price else "")
            for tier in threshold.tiers
        ),
        "not_tags": ", ".join(threshold.excludes.tags),
        "not_places": ", ".join(threshold.excludes.places),
        "not_hazmat": "yes" if threshold.excludes.hazmat else "no",
        "counts_digital": "yes" if threshold.counts_digital else "no",
    }


def _words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _tier(text: str) -> dict[str, Any]:
    """`100.00=express`, `100.00=*`, `30.00=standard=2.90`, `80.00=dhl-paket+ups-standard`."""
    amount, _, rest = text.partition("=")
    freed, _, price = rest.partition("=")
    tier: dict[str, Any] = {"amount": amount.strip(), "price": price.strip() or "0"}
    if freed in CLASSES[2:6]:
        return {**tier, "service_class": freed}
    return {**tier, "services": [part.strip() for part in freed.split("+") if part.strip()]}


PAGES = (Page("/thresholds", "thresholds", "owner", show, act),)
