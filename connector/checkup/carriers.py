"""How the carrier accounts of a shop stand: are their credentials taken, is there money in the wallet."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func

from carriers.address import Address
from carriers.carrier import Standing
from carriers.errors import Misconfigured
from carriers.measure import Weight
from carriers.money import Money
from carriers.parcel import Parcel, RateRequest
from connector.checkup.finding import Check, Finding
from connector.directory import AccountEntry, ShopEntry
from connector.labels.tables import labels
from connector.storage.database import Database
from connector.words.reason import Param, Reason
from webhooks.outgoing import Outgoing

_PROBE_S = 15.0
_SPENT_IN = timedelta(days=3)


def carrier_checks(shop: ShopEntry, database: Database, outgoing: Outgoing, now: datetime) -> list[Check]:
    """One for each account."""

    def check_of(account: AccountEntry) -> Check:
        async def run() -> list[Finding]:
            return await _check(shop, account, database, outgoing, now)

        return Check(f"account {account.id}", Reason("checked_account", {"carrier": account.kind.title}), run)

    return [check_of(account) for account in shop.accounts.values()]


async def _check(
    shop: ShopEntry, account: AccountEntry, database: Database, outgoing: Outgoing, now: datetime
) -> list[Finding]:
    """Raises CarrierError if the carrier cannot be asked now."""
    title = account.kind.title
    try:
        rates = await account.carrier.rates(_question(shop), _PROBE_S)
        standing = await _standing(account, outgoing)
    except Misconfigured as error:
        alone = len(shop.accounts) == 1
        said = {"carrier": title, "said": error.message}
        return [Finding(Reason("check_account_refused", said), "stops_rates" if alone else "costs_money", account.id)]
    if account.record.test_mode is None and rates.test_mode is False and shop.settings.mode == "test":
        return [Finding(Reason("check_account_production", {"carrier": title}), "costs_money", account.id)]
    if standing is None or standing.balance is None:
        return []
    spent = await database.run(_spent, shop.id, account.id, standing.balance.currency, now)
    return _judge_wallet(account, standing.balance, spent, refills=standing.refills)


def _judge_wallet(account: AccountEntry, balance: Money, spent: Money, *, refills: bool) -> list[Finding]:
    params: dict[str, Param] = {"carrier": account.kind.title, "balance": balance}
    if balance.minor <= 0:
        return [Finding(Reason("check_wallet_empty", params), "costs_money", account.id)]
    if balance < spent and not refills:
        params |= {"spent": spent, "days": _SPENT_IN.days}
        return [Finding(Reason("check_wallet_low", params), "costs_money", account.id)]
    return []


async def _standing(account: AccountEntry, outgoing: Outgoing) -> Standing | None:
    if account.kind.standing is None:
        return None
    settings = account.kind.settings.model_validate(dict(account.record.settings))
    return await account.kind.standing(settings, outgoing, _PROBE_S)


def _question(shop: ShopEntry) -> RateRequest:
    """A small parcel within the shop's own town: a carrier takes it that takes anything."""
    origin = shop.quoting.default_origin()
    place = origin.address if origin else Address("US", "94104", "CA", "San Francisco")
    return RateRequest(place, place, (Parcel(Weight(500)),), shop.record.currency)


def _spent(connection: Connection, shop_id: str, account_id: str, currency: str, now: datetime) -> Money:
    """What labels of the account cost in the last days."""
    bought = labels.select(shop_id, func.sum(labels.c.booked_minor)).where(
        labels.c.account_id == account_id,
        labels.c.booked_currency == currency,
        labels.c.settled_at > now - _SPENT_IN,
    )
    return Money(int(connection.execute(bought).scalar() or 0), currency)
