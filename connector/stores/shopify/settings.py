"""What one shop's connection to Shopify is made of."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

API_VERSION = "2026-10"

HMACMode = Literal["require", "prefer", "off"]


class ShopifySettings(BaseModel):
    """One shop's connection.

    `client_secret` proves webhooks and rate calls; `previous_client_secret` goes on proving them while the secret is
    changed (Shopify signs with the old one for up to an hour). With `client_id` access tokens are fetched by the
    client-credentials grant, or for an app of many shops by an exchange when the merchant opens it; an `access_token`
    given here is used as it is and never renewed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    domain: str = Field(description="The shop's myshopify.com domain.")
    client_id: str = Field(default="", description="The app's client id, from the Dev Dashboard.")
    client_secret: SecretStr = Field(description="The app's client secret.")
    previous_client_secret: SecretStr | None = Field(default=None, description="The secret before it was changed.")
    access_token: SecretStr | None = Field(default=None, description="A token that does not expire, if there is one.")
    grant: Literal["client_credentials", "token_exchange"] = Field(
        default="client_credentials", description="Where tokens come from: the app itself, or a merchant's visit to it."
    )
    api_base: str = Field(default="", description="Where the API is, if not at the domain itself.")
    api_version: str = Field(default=API_VERSION, pattern=r"^(\d{4}-(01|04|07|10)|unstable)$")
    hmac: HMACMode = Field(default="prefer", description="What a rate call's missing or wrong signature means.")
    service_name: str = Field(default="Waybill", min_length=1, description="The carrier service's name in the admin.")
    fulfil_ceiling_s: int = Field(default=60, ge=1, description="After so long an unseen fulfilment did not happen.")
    read_timeout_s: float = Field(default=10.0, gt=0, description="For a read, its second try and its waits together.")
    write_timeout_s: float = Field(default=20.0, gt=0, description="For a write with its waits.")

    @field_validator("domain")
    @classmethod
    def _sanitise(cls, value: str) -> str:
        # Imported here because the package loads every REST resource it has: 0.15 s that only a Shopify shop pays.
        from shopify.utils.shop_url import sanitize_shop_domain

        domain = sanitize_shop_domain(value)
        if domain is None:
            raise ValueError("A Shopify domain ends in .myshopify.com, such as my-shop.myshopify.com.")
        return str(domain)

    @field_validator("api_base")
    @classmethod
    def _base_without_slash(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("The API base begins with https:// or http://.")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _has_credentials(self) -> ShopifySettings:
        if not self.client_id and self.access_token is None:
            raise ValueError("Give a client id (with its secret), or an access token.")
        if not self.client_secret.get_secret_value():
            raise ValueError("The client secret is missing: it proves what comes from Shopify.")
        return self

    @property
    def base(self) -> str:
        """Where the shop's API is, without a slash at its end."""
        return self.api_base or f"https://{self.domain}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The client secrets that may have signed a message, newest first."""
        given: tuple[Any, ...] = (self.client_secret, self.previous_client_secret)
        return tuple(secret.get_secret_value() for secret in given if secret and secret.get_secret_value())
