"""A shop's carrier accounts: connect, give new credentials, disconnect. What is secret is typed in and never shown."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from carriers.carrier import CarrierKind
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Goto, NotThere, Page, View
from connector.managing.accounts import Connected
from webhooks.errors import WaybillError

_SECRET = ("api_key", "webhook_secret")
_OPEN = ("api_base",)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a carrier's form."""

    name: str
    secret: bool
    required: bool
    hint: str
    usual: str


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The accounts that are connected, and the carriers that could be."""
    rows = list(ask.shop.accounts.values())
    return View("carriers.html", {"rows": rows, "kinds": house.carrier_desk.sellers, "tables": _tables(ask)})


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Disconnect an account, or make its carrier post its news here."""
    here, account = f"{ask.base}/carriers", ask.shop.accounts.get(ask.typed.get("account", ""))
    if account is None:
        raise NotThere
    if ask.typed.get("do") == "disconnect":
        await house.carrier_desk.disconnect(ask.shop, account.id, ask.actor)
        return Goto(here, done="carriers.gone")
    if ask.typed.get("do") == "hook" and account.kind.set_up_hook is not None:
        url = f"{house.public_url}/hooks/carrier/{account.record.hook_token}"
        checked = account.kind.settings.model_validate(dict(account.record.settings))
        state = await account.kind.set_up_hook(checked, url)
        return Goto(here, done="carriers.hooked" if state == "done" else "carriers.hook_kept")
    raise NotThere


async def show_new(house: DeskHouse, ask: Ask) -> Answer:
    """The form for a carrier's credentials."""
    return _form(_kind(house, ask))


async def connect(house: DeskHouse, ask: Ask) -> Answer:
    """Prove and keep a new account."""
    return await _keep(house, ask, _kind(house, ask), "")


async def show_known(_house: DeskHouse, ask: Ask) -> Answer:
    """The form for new credentials of an account."""
    account = ask.shop.accounts.get(ask.path["account"])
    if account is None:
        raise NotThere
    return _form(account.kind, account.id)


async def replace(house: DeskHouse, ask: Ask) -> Answer:
    """Prove and keep new credentials of an account."""
    account = ask.shop.accounts.get(ask.path["account"])
    if account is None:
        raise NotThere
    return await _keep(house, ask, account.kind, account.id)


async def _keep(house: DeskHouse, ask: Ask, kind: CarrierKind, replacing: str) -> Answer:
    names = [each.name for each in _fields(kind, known=bool(replacing))]
    given = {name: ask.typed[name].strip() for name in names if ask.typed.get(name, "").strip()}
    try:
        done = await house.carrier_desk.connect(ask.shop, kind, given, ask.actor, replacing)
    except ValidationError as error:
        return _form(kind, replacing, _complaint(error, kind))
    except WaybillError as error:
        return _form(kind, replacing, Complaint(text=error.message, field=error.detail))
    return Goto(f"{ask.base}/carriers", done=_outcome(done))


def _outcome(done: Connected) -> str:
    if done.unproved:
        return "carriers.unproved"
    if done.deaf:
        return "carriers.deaf"
    return "carriers.updated" if done.updated else "carriers.connected"


def _form(kind: CarrierKind, account: str = "", complaint: Complaint | None = None) -> View:
    values = {"kind": kind, "account": account, "fields": _fields(kind, known=bool(account))}
    return View("carrier_form.html", values, complaint)


def _kind(house: DeskHouse, ask: Ask) -> CarrierKind:
    found = next((each for each in house.carrier_desk.sellers if each.name == ask.path["carrier"]), None)
    if found is None:
        raise NotThere
    return found


def _fields(kind: CarrierKind, *, known: bool) -> list[Field]:
    """What a merchant types in for a carrier. A known account keeps what is left empty."""
    return [
        Field(name, name in _SECRET, field.is_required() and not known, field.description or "", _usual(field))
        for name, field in kind.settings.model_fields.items()
        if name in (*_SECRET, *_OPEN)
    ]


def _usual(field: FieldInfo) -> str:
    return field.default if isinstance(field.default, str) else ""


def _complaint(error: ValidationError, kind: CarrierKind) -> Complaint:
    """What is wrong, without repeating what was typed."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    field = kind.settings.model_fields.get(name)
    if first["type"] == "missing":
        return Complaint("field.missing", name)
    said = first["msg"].removeprefix("Value error, ")
    meaning = field.description or "" if field is not None and first["type"] == "string_pattern_mismatch" else said
    return Complaint(text=meaning or said, field=name)


def _tables(ask: Ask) -> bool:
    """Whether a rate table is among the accounts: those are imported on the command line."""
    return any(not each.kind.capabilities.sells_labels for each in ask.shop.accounts.values())


PAGES = (
    Page("/carriers", "carriers", "owner", show, act),
    Page("/carriers/add/{carrier}", "carriers", "owner", show_new, connect),
    Page("/carriers/{account}", "carriers", "owner", show_known, replace),
)
