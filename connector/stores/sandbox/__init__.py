"""The sandbox store: a pretend shop for trying, teaching and tests; on this machine, and the folder to copy."""

from __future__ import annotations

from pydantic import BaseModel

from connector.store import StoreKind, TokenVault
from connector.stores.sandbox.connection import CAPABILITIES, SandboxStore
from connector.stores.sandbox.settings import SandboxStoreSettings
from connector.stores.sandbox.webhook import claims_shop, read, verify_app_hook
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock


def connect(settings: BaseModel, outgoing: Outgoing, clock: Clock, vault: TokenVault) -> SandboxStore:  # noqa: ARG001
    """Make a connection; neither network nor tokens are used. Raises TypeError for another kind's settings."""
    if not isinstance(settings, SandboxStoreSettings):
        raise TypeError(type(settings).__name__)
    return SandboxStore(settings, clock)


KIND = StoreKind(
    name="sandbox",
    title="Sandbox shop (for trying)",
    settings=SandboxStoreSettings,
    capabilities=CAPABILITIES,
    connect=connect,
    claims_shop=claims_shop,
    verify_app_hook=verify_app_hook,
    read_app_hook=read,
)

__all__ = ["KIND", "SandboxStore", "SandboxStoreSettings"]
