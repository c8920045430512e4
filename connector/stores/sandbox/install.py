"""Register our URLs with the pretend platform, and say what was found."""

from __future__ import annotations

import json
from typing import Literal

from connector.store import Callbacks, InstallStep, from_to
from connector.stores.sandbox.client import PretendPlatform
from connector.stores.sandbox.shopkeeper import write_callbacks

SERVICE = "rate service"


async def install(platform: PretendPlatform, callbacks: Callbacks, *, on: bool) -> list[InstallStep]:
    """Set rate service and webhooks, repairing what is missing or moved; safe to repeat. Raises SaidNo."""
    before = await _callbacks(platform)
    steps = [
        _step(SERVICE, before.get("rates"), callbacks.rates),
        _step("webhooks", before.get("hooks"), callbacks.hooks),
    ]
    if any(step.state != "kept" for step in steps):
        await platform.put_fact("callbacks", "callbacks", write_callbacks(callbacks))
    if not before:
        await _write_switch(platform, on=on)
    return steps


async def is_on(platform: PretendPlatform) -> bool | None:
    """Whether the checkout asks us; None where nothing is registered. Raises SaidNo."""
    if not await _callbacks(platform):
        return None
    # What an earlier release registered is on: it knew no switch.
    return (await platform.facts("switch")).get("rates", b"on") == b"on"


async def switch(platform: PretendPlatform, *, on: bool) -> bool:
    """Turn the rate service on or off; False where nothing is registered. Raises SaidNo."""
    if not await _callbacks(platform):
        return False
    await _write_switch(platform, on=on)
    return True


async def remove(platform: PretendPlatform) -> list[InstallStep]:
    """Take both callbacks away. Raises SaidNo."""
    state: Literal["removed", "absent"] = "removed" if await _callbacks(platform) else "absent"
    await platform.put_fact("callbacks", "callbacks", None)
    await platform.put_fact("switch", "rates", None)
    return [InstallStep(SERVICE, state), InstallStep("webhooks", state)]


async def _callbacks(platform: PretendPlatform) -> dict[str, str]:
    kept = await platform.facts("callbacks")
    found: dict[str, str] = json.loads(kept["callbacks"]) if kept else {}
    return found


async def _write_switch(platform: PretendPlatform, *, on: bool) -> None:
    await platform.put_fact("switch", "rates", b"on" if on else b"off")


def _step(what: str, before: str | None, now: str) -> InstallStep:
    if before is None:
        return InstallStep(what, "done")
    return InstallStep(what, "kept") if before == now else InstallStep(what, "moved", from_to(before, now))
