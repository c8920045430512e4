"""What a sandbox account can be set to."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Fault = Literal["none", "nowhere", "down", "slow", "refuse", "empty-wallet", "rate-gone", "lost-answer", "lost-request"]


class SandboxSettings(BaseModel):
    """One account of the sandbox carrier.

    `path` is the file in which the pretend carrier keeps its books; every process of an installation uses the same.
    `secret` signs its webhooks and seals the addresses in its books. `fault` plays one fault for every call, as the
    destinations in `carriers.sandbox.faults` do for theirs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    secret: SecretStr = Field(min_length=16)
    account: str = Field(default="sandbox", pattern=r"^[a-z0-9_-]{1,40}$")
    dpi: Literal[203, 300] = 203
    fault: Fault = "none"
    slow_s: float = Field(default=10.0, ge=0, le=120)
    refund_s: int = Field(default=0, ge=0, description="Seconds from a void until the money is back.")
    look_up_ceiling_s: int = Field(default=5, ge=0, description="After so long an unseen purchase did not happen.")
