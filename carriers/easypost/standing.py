"""How an EasyPost account stands: what is left in the wallet that labels are paid from."""

from __future__ import annotations

from pydantic import BaseModel

from carriers.carrier import Standing
from carriers.easypost import wire
from carriers.easypost.errors import raise_for
from carriers.easypost.settings import EasyPostSettings
from carriers.errors import Garbled, Unavailable
from carriers.money import Money, MoneyError
from webhooks.errors import OutgoingError
from webhooks.outgoing import Outgoing

_TEST_KEY = "EZTK"
_CURRENCY = "USD"  # EasyPost keeps its wallets in US dollars, whatever the labels' currency.


async def read_standing(settings: BaseModel, outgoing: Outgoing, deadline_s: float) -> Standing:
    """Ask `GET /v2/users`, which needs a production key: sample labels of a test key are paid from nothing."""
    checked = EasyPostSettings.model_validate(settings.model_dump())
    key = checked.api_key.get_secret_value()
    if key.startswith(_TEST_KEY):
        return Standing()
    url = f"{checked.api_base.rstrip('/')}/v2/users"
    try:
        answer = await outgoing.request(
            "GET", url, deadline_s=deadline_s, headers={"authorization": f"Bearer {key}"}, max_bytes=4 * 1024 * 1024
        )
    except OutgoingError as error:
        raise Unavailable("EasyPost cannot be reached now.", detail=error.detail) from error
    raise_for(answer)
    body = wire.parse(answer.content)
    if not isinstance(body, dict):
        raise Garbled("EasyPost's answer is not what its contract says.", detail="user")
    balance = body.get("balance")
    if balance is None:  # A child of another account: its parent pays.
        return Standing()
    try:
        refills = bool(body.get("has_billing_method")) and body.get("recharge_amount") is not None
        return Standing(Money.rounded(str(balance), _CURRENCY), refills)
    except MoneyError as error:
        raise Garbled("EasyPost's answer is not what its contract says.", detail="balance") from error
