"""The latest check-up of each shop, kept so that the desk shows it without a call; grave causes go before a person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import JSON, Column, Connection

from connector.attention.board import need_person, open_matters, settled
from connector.checkup.finding import Checkup, Finding, NotMade
from connector.storage.database import insert_new
from connector.storage.schema import Moment, TenantTable
from connector.words.reason import Reason

_SUBJECT = "checkup"
_WANTED_SO = frozenset({"check_service_off"})  # Nobody needs to be told what somebody switched off here.

checkups = TenantTable(
    "checkups",
    Column("at", Moment, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("passed", JSON, nullable=False),
    Column("not_made", JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a check-up changed on the list of what needs a person."""

    opened: int
    settled: int


def keep(connection: Connection, checkup: Checkup) -> Change:
    """Keep a result in place of the one before. What stops rates is put before a person until it is gone.

    A matter whose check could not be made this time stays as it is.
    """
    values = {
        "at": checkup.at,
        "findings": [finding.to_json() for finding in checkup.findings],
        "passed": list(checkup.passed),
        "not_made": [each.to_json() for each in checkup.not_made],
    }
    if not insert_new(connection, checkups.insert(checkup.shop_id, **values)):
        connection.execute(checkups.update(checkup.shop_id).values(**values))
    return _tell(connection, checkup)


def latest(connection: Connection, shop_id: str) -> Checkup | None:
    """The result that was kept last; None before the first."""
    row = connection.execute(checkups.select(shop_id)).one_or_none()
    if row is None:
        return None
    return Checkup(
        row.shop_id,
        row.at,
        tuple(Finding.from_json(each) for each in row.findings),
        tuple(row.passed),
        tuple(NotMade.from_json(each) for each in row.not_made),
    )


def _tell(connection: Connection, checkup: Checkup) -> Change:
    grave = [
        finding
        for finding in checkup.findings
        if finding.level == "stops_rates" and finding.reason.code not in _WANTED_SO
    ]
    opened = sum(
        need_person(connection, checkup.shop_id, _subject(finding), _with_link(finding), checkup.at)
        for finding in grave
    )
    wrong = {(finding.reason.code, _subject(finding)) for finding in grave}
    open_still = tuple(_prefix(each.name) for each in checkup.not_made)
    gone = [
        matter
        for matter in open_matters(connection, checkup.shop_id)
        if matter.subject.startswith(_SUBJECT)
        and (matter.reason.code, matter.subject) not in wrong
        and not matter.subject.startswith(open_still)
    ]
    for matter in gone:
        settled(connection, checkup.shop_id, matter.subject, checkup.at, matter.reason.code)
    return Change(opened, len(gone))


def _with_link(finding: Finding) -> Reason:
    """The cause with the page to open, for its cure."""
    return Reason(finding.reason.code, {**finding.reason.params, "link": finding.link})


def _subject(finding: Finding) -> str:
    """What a matter is about, in the 80 letters that the board has."""
    return f"{_prefix(finding.check)}{finding.subject}"[:80]


def _prefix(check: str) -> str:
    return f"{_SUBJECT} {check}: "
