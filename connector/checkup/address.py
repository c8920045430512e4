"""Is our own public address to be reached? Asked through the outgoing client, as far as that can be told from here."""

from __future__ import annotations

import ipaddress
import json
from urllib.parse import urlsplit

from connector.checkup.finding import Finding
from connector.words.reason import Reason
from webhooks.errors import OutgoingError
from webhooks.outgoing import Outgoing

_PATIENCE_S = 10.0
_LOCAL_NAMES = {"localhost", "localhost.localdomain"}


async def check_address(outgoing: Outgoing, public_url: str, *, private_is_fine: bool) -> list[Finding]:
    """What keeps stores and carriers from reaching us. `private_is_fine`: a set-up for trying, on one machine."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if not private_is_fine:
        if _is_local(host):
            return [Finding(Reason("check_address_local", {"url": public_url}), "stops_rates")]
        if parts.scheme != "https":
            return [Finding(Reason("check_address_plain", {"url": public_url}), "stops_rates")]
    asked = f"{public_url}/healthz"
    try:
        answer = await outgoing.request("GET", asked, deadline_s=_PATIENCE_S, max_bytes=65536)
    except OutgoingError as error:
        if error.detail == "private address":
            return [Finding(Reason("check_address_inside", {"host": host}), "look")]
        params = {"url": asked, "said": error.message}
        return [Finding(Reason("check_address_dead", params), "stops_rates")]
    if answer.status != 200 or not _says_alive(answer.content):
        return [Finding(Reason("check_address_stranger", {"url": asked, "status": answer.status}), "stops_rates")]
    return []


def _says_alive(body: bytes) -> bool:
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("alive") is True


def _is_local(host: str) -> bool:
    if host in _LOCAL_NAMES or host.endswith(".local"):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
