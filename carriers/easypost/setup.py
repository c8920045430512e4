"""Set-up at EasyPost through its official SDK, in a worker thread: cold, rare calls, where its habits do no harm.

Rating, buying, looking up, voiding and tracking go through `client.py`: the SDK tries reads four times, sleeps through
429s and bounds no call as a whole (read and measured with 10.7.0).
"""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from pydantic import BaseModel

from carriers.carrier import HookSetUp
from carriers.easypost.settings import EasyPostSettings
from carriers.errors import CarrierError, Misconfigured, Refused, Unavailable

_TIMEOUT_S = 20


async def set_up_hook(settings: BaseModel, url: str) -> HookSetUp:
    """Have tracking news posted to `url`, signed with the account's webhook secret; safe to repeat.

    Raises CarrierError: Misconfigured without a webhook secret or for a key that is refused.
    """
    checked = EasyPostSettings.model_validate(settings.model_dump())
    if not checked.webhook_secret.get_secret_value():
        raise Misconfigured(
            "A webhook secret is needed, so that EasyPost's news can be proved.", detail="webhook_secret"
        )
    return await anyio.to_thread.run_sync(_set_up_hook, checked, url)


def _set_up_hook(settings: EasyPostSettings, url: str) -> HookSetUp:
    from easypost.easypost_client import EasyPostClient  # The SDK costs 10 MB that only this call needs.
    from easypost.errors.general.easypost_error import EasyPostError

    client = EasyPostClient(
        settings.api_key.get_secret_value(), api_base=f"{settings.api_base.rstrip('/')}/v2", timeout=_TIMEOUT_S
    )
    try:
        return _register(client, url, settings.webhook_secret.get_secret_value())
    except EasyPostError as error:
        raise _translate(error) from None  # The SDK's errors carry whole bodies.
    except AttributeError:
        # The SDK fails so on an error answer whose "error" is a plain text.
        raise CarrierError("EasyPost's answer could not be read.", detail="webhooks") from None


def _register(client: Any, url: str, secret: str) -> HookSetUp:
    """Look first: EasyPost keeps every registration that is made, and posts to each."""
    for hook in client.webhook.all()["webhooks"]:
        if hook.url == url:
            was_off = bool(getattr(hook, "disabled_at", None))
            client.webhook.update(hook.id, webhook_secret=secret)
            return "done" if was_off else "kept"
    client.webhook.create(url=url, webhook_secret=secret)
    return "done"


def _translate(error: Any) -> CarrierError:
    status = getattr(error, "http_status", None)
    if status in {401, 403}:
        return Misconfigured("EasyPost did not accept the key.", detail=f"status {status}")
    if status is None or status >= 500:
        return Unavailable("EasyPost cannot be reached now.", detail=f"status {status}")
    return Refused("EasyPost refused the webhook address.", detail=f"status {status}")
