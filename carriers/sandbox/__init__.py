"""The sandbox carrier: for trying, teaching and tests; deterministic, on this machine, and the folder to copy."""

from __future__ import annotations

from pydantic import BaseModel

from carriers.carrier import CarrierKind
from carriers.sandbox.connection import SandboxCarrier, capabilities
from carriers.sandbox.settings import SandboxSettings
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock


def connect(settings: BaseModel, outgoing: Outgoing, clock: Clock) -> SandboxCarrier:  # noqa: ARG001  No network.
    """Make a connection. Raises TypeError for another kind's settings."""
    if not isinstance(settings, SandboxSettings):
        raise TypeError(type(settings).__name__)
    return SandboxCarrier(settings, clock)


KIND = CarrierKind(
    name="sandbox",
    title="Sandbox carrier (for trying; sells nothing)",
    settings=SandboxSettings,
    capabilities=capabilities(),
    connect=connect,
)

__all__ = ["KIND", "SandboxCarrier", "SandboxSettings"]
