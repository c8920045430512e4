"""Commands that switch a store's rates on and off, and that let a store go: shop on, shop off, shop remove."""

from __future__ import annotations

from typing import Any

import click

from connector.cli.naming import named_shop
from connector.cli.output import BY_COMMAND, Speaker, command, in_house
from connector.directory import ShopEntry
from connector.installing import switch
from connector.installing.switch import NotSwitched, Removed, Switched
from connector.wiring import House
from webhooks.errors import WaybillError


def add_to(group: click.Group) -> None:
    """Register the commands in the group `shop`."""

    @command(group, "on")
    @click.argument("shop")
    @click.option("--anyway", is_flag=True, help="Even if something would keep buyers from seeing the prices.")
    def on(speaker: Speaker, shop: str, anyway: bool) -> None:
        """Let the store's checkout ask for our prices."""
        data = in_house(lambda house: _on(house, shop, anyway=anyway))
        said = "were on already" if data["was"] else "are on now"
        lines = [f"The rates of {data['domain']} {said}. Shopify and others keep an answer for some minutes."]
        speaker.answer(data, [*lines, *(f"  {each['text']} {each['cure']}" for each in data["findings"])])

    @command(group, "off")
    @click.argument("shop")
    def off(speaker: Speaker, shop: str) -> None:
        """Let the store sell at its own rates only; nothing else changes."""
        data = in_house(lambda house: _off(house, shop))
        if data["missing"]:
            line = f"{data['domain']} has no rate service of ours, so its checkout asks nobody."
        elif data["was"] is False:
            line = f"The rates of {data['domain']} were off already."
        else:
            line = f"The rates of {data['domain']} are off now: its checkout sells at the store's own rates."
        speaker.answer(data, [line])

    @command(group, "remove")
    @click.argument("shop")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def remove(speaker: Speaker, shop: str, yes: bool) -> None:
        """Take rate service and webhooks out of the store and forget its credentials; orders and labels stay."""
        if not yes and speaker.as_json:
            raise WaybillError("With --json nobody can be asked: add --yes.", detail="--yes")
        if not yes:
            click.confirm(f"Remove {shop}? Its checkout goes on with the store's own rates.", abort=True)
        data = in_house(lambda house: _remove(house, shop))
        lines = [f"{data['domain']} is not connected any more. Orders, labels and quotes are kept."]
        lines += [f"  {step['what']}: {step['state']} {step['detail']}".rstrip() for step in data["steps"]]
        if data["left_over"]:
            lines.append(f"Something may be left over in the store: {data['left_over']} Remove the app there.")
        speaker.answer(data, lines)


async def _on(house: House, name: str, *, anyway: bool) -> dict[str, Any]:
    shop = named_shop(house, name)
    try:
        done = await switch.switch_on(house.installer, shop, BY_COMMAND, house.look_over, anyway=anyway)
    except NotSwitched as refused:
        why = " ".join(f"{finding.reason.say()} {finding.cure}" for finding in refused.findings)
        raise WaybillError(f"{refused.message} {why} To switch on all the same: --anyway.", detail=shop.id) from refused
    return _switched(shop, done)


async def _off(house: House, name: str) -> dict[str, Any]:
    shop = named_shop(house, name)
    return _switched(shop, await switch.switch_off(house.installer, shop, BY_COMMAND))


async def _remove(house: House, name: str) -> dict[str, Any]:
    shop = named_shop(house, name)
    done: Removed = await switch.remove(house.installer, shop, BY_COMMAND)
    steps = [{"what": step.what, "state": step.state, "detail": step.detail} for step in done.steps]
    return {"shop_id": shop.id, "domain": shop.domain, "steps": steps, "left_over": done.left_over}


def _switched(shop: ShopEntry, done: Switched) -> dict[str, Any]:
    findings = [{"code": each.reason.code, "text": each.reason.say(), "cure": each.cure} for each in done.findings]
    return {
        "shop_id": shop.id,
        "domain": shop.domain,
        "rates_on": done.rates_on,
        "was": done.was,
        "missing": done.missing,
        "findings": findings,
    }
