"""What a sandbox shop can be set to."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Fault = Literal["none", "down", "lost-answer"]


def _domain_of(earlier: dict[str, Any]) -> str:
    """A domain for a name: `Sandbox Shop` is at sandbox-shop.sandbox.example."""
    plain = unicodedata.normalize("NFKD", str(earlier.get("name", ""))).encode("ascii", "ignore").decode().lower()
    return f"{'-'.join(re.findall('[a-z0-9]+', plain)) or 'shop'}.sandbox.example"


class SandboxStoreSettings(BaseModel):
    """One shop of the sandbox platform.

    `path` is the file in which the pretend platform keeps all its shops; every process of an installation uses the
    same. `secret` signs its calls and seals its orders. `fault`: `down` answers no call at all, `lost-answer` does
    what a write asks for and then does not say so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    secret: SecretStr = Field(min_length=16)
    name: str = Field(default="Sandbox Shop", max_length=100)
    domain: str = Field(
        default_factory=_domain_of, pattern=r"^[a-z0-9.-]{1,120}$", description="By default the name's."
    )
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    timezone: str = "Europe/Bratislava"
    fault: Fault = "none"
    fulfil_ceiling_s: int = Field(default=5, ge=0, description="After so long an unseen fulfilment did not happen.")
