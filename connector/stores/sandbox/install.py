"""Register our URLs with the pretend platform, and say what was found."""

from __future__ import annotations

import json
from typing import Literal

from connector.store import Callbacks, InstallStep
from connector.stores.sandbox.client import PretendPlatform
from connector.stores.sandbox.shopkeeper import write_callbacks


async def install(platform: PretendPlatform, callbacks: Callbacks) -> list[InstallStep]:
    """Set rate service and webhooks, repairing what is missing or moved; safe to repeat. Raises SaidNo."""
    kept = await platform.facts("callbacks")
    before = json.loads(kept["callbacks"]) if kept else {}
    steps = [
        InstallStep("rate service", _state(before.get("rates"), callbacks.rates)),
        InstallStep("webhooks", _state(before.get("hooks"), callbacks.hooks)),
    ]
    if any(step.state != "kept" for step in steps):
        await platform.put_fact("callbacks", "callbacks", write_callbacks(callbacks))
    return steps


def _state(before: str | None, now: str) -> Literal["done", "kept", "moved"]:
    if before is None:
        return "done"
    return "kept" if before == now else "moved"
