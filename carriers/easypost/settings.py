"""What a merchant tells us to connect EasyPost."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class EasyPostSettings(BaseModel):
    """One EasyPost account as a merchant connects it. The key alone decides between test and production."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr = Field(min_length=1, description="The API key: EZTK… is a test key, EZAK… buys real labels.")
    webhook_secret: SecretStr = Field(SecretStr(""), description="The secret that EasyPost signs webhooks with.")
    api_base: str = Field(
        "https://api.easypost.com", pattern=r"^https?://[^/?#]+/?$", description="Where EasyPost is, without a path."
    )
    carrier_accounts: tuple[str, ...] = Field((), description="Ask only these carrier accounts (ca_…); empty: all.")
    label_format: Literal["pdf", "png", "zpl"] | None = Field(
        None, description="Order every label in this format; empty: as each label asks for."
    )
    look_up_ceiling_s: int = Field(100, ge=1, le=3600, description="A purchase not seen after so long never happened.")
    purchase_timeout_s: float = Field(60, gt=0, le=300, description="How long the answer to a purchase is awaited.")
    read_timeout_s: float = Field(20, gt=0, le=300, description="How long other answers are awaited, in total.")

    @field_validator("api_key")
    @classmethod
    def _is_a_header(cls, value: SecretStr) -> SecretStr:
        """A key travels in a header."""
        key = value.get_secret_value()
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("An API key has plain letters and digits only.")
        return value
