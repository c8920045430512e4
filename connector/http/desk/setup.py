"""The set-up list: what keeps buyers from seeing our prices, each cause with its cure; and the switch."""

from __future__ import annotations

from dataclasses import replace

from connector.checkup import kept
from connector.checkup.finding import Checkup, Finding
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Goto, Page, View
from connector.installing.switch import ABOUT_THE_SWITCH, NotSwitched, switch_off, switch_on
from connector.words.reason import Reason, codes

_TONES = {"stops_rates": "bad", "costs_money": "warn", "look": "warn"}


def as_switched(checkup: Checkup | None, rates_on: bool | None) -> Checkup | None:
    """A check-up without what was cured by switching on since."""
    if checkup is None or not rates_on:
        return checkup
    return replace(
        checkup, findings=tuple(each for each in checkup.findings if each.reason.code not in ABOUT_THE_SWITCH)
    )


async def show(house: DeskHouse, ask: Ask, stopping: tuple[Finding, ...] = ()) -> View:
    """The latest check-up, and how the switch stands."""
    checkup = as_switched(await house.database.run(kept.latest, ask.shop.id), ask.shop.record.rates_on)
    passed = [f"checked_{name}" for name in checkup.passed] if checkup else []
    values = {
        "checkup": checkup,
        "tones": _TONES,
        "passed": [Reason(code).say() for code in passed if code in codes()],
        "rates_on": ask.shop.record.rates_on,
        "stopping": stopping,
    }
    return View("setup.html", values)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Check now, or turn the switch."""
    shop, here = ask.shop, f"{ask.base}/setup"
    match ask.typed.get("do"):
        case "check":
            await house.clinic.check(shop.id)
            return Goto(here, done="setup.checked")
        case "off":
            await switch_off(house.installer, shop, ask.actor)
            return Goto(here, done="setup.off")
        case "on" | "on_anyway" as do:
            try:
                await switch_on(house.installer, shop, ask.actor, house.look_over, anyway=do == "on_anyway")
            except NotSwitched as refused:
                page = await show(house, ask, refused.findings)
                return View(page.template, page.values, Complaint("setup.not_switched"))
            return Goto(here, done="setup.on")
        case "repair":
            done = await house.installer.repair(shop, ask.actor)
            return Goto(here, done="setup.half_repaired" if done.failed else "setup.repaired")
    return View("setup.html", (await show(house, ask)).values, Complaint("form.unknown"))


async def _show(house: DeskHouse, ask: Ask) -> Answer:
    return await show(house, ask)


PAGES = (Page("/setup", "setup", "owner", _show, act),)
