"""What a browser must prove and what it is told to refuse: cookies, forms of our own pages, headers of every answer."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.types import Scope

from connector.http.limits import same_text

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: tuple[tuple[str, str], ...] = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
NO_STORE = ("cache-control", "no-store")
_AGE_S = 7 * 86400


class Cookie:
    """The session's cookie. Over https its name binds it to this host alone, and it goes over nothing else."""

    def __init__(self, public_url: str) -> None:
        self._secure = urlsplit(public_url).scheme == "https"
        self.name = "__Host-waybill" if self._secure else "waybill"

    def read(self, headers: Mapping[str, str]) -> str:
        """The token that the browser sent, or nothing."""
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.name)
        except CookieError:
            return ""
        return found.value if found is not None else ""

    def write(self, token: str) -> tuple[str, str]:
        """The header that sets it; an empty token takes it away."""
        age = _AGE_S if token else 0
        secure = "; Secure" if self._secure else ""
        return ("set-cookie", f"{self.name}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")


def is_ours(headers: Mapping[str, str], public_url: str) -> bool:
    """Whether a form was sent from a page of this very site, by what the browser says of its origin.

    Browsers name an Origin with every form that is posted, and newer ones Sec-Fetch-Site; neither can be forged by a
    page. A request that names none of both comes from no browser's form, and is refused.
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("origin")
    if origin is None:
        return site == "same-origin"
    if origin.rstrip("/") == _origin(public_url):
        return True
    return origin != "null" and urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""


def new_form(session: str, action: str) -> str:
    """The hidden field of a form: this session's, for this address, and good for once."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_sign(session, action, nonce)}"


def form_is_ours(session: str, action: str, given: str) -> bool:
    """Whether `new_form` made it for this session and this address."""
    nonce, _, signature = given.partition(".")
    return bool(nonce) and same_text(signature, _sign(session, action, nonce))


def _sign(session: str, action: str, nonce: str) -> str:
    return hmac.new(session.encode("utf-8", "surrogatepass"), f"{action}\n{nonce}".encode(), sha256).hexdigest()


def caller(scope: Scope, headers: Mapping[str, str]) -> str:
    """The address that logins are counted by.

    A proxy beside us has a private address and adds its client's to X-Forwarded-For, behind what the client said
    itself; only this last entry is believed, and only from a private address.
    """
    host = str((scope.get("client") or ("unknown",))[0])
    try:
        if not ipaddress.ip_address(host).is_private:
            return host
        return str(ipaddress.ip_address(headers.get("x-forwarded-for", "").rpartition(",")[2].strip()))
    except ValueError:
        return host


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
