"""Make checks at the same time, each within its deadline: one that cannot be made hides no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import anyio
from sqlalchemy.exc import SQLAlchemyError

from connector.checkup.finding import LEVELS, Check, Checkup, Finding, NotMade
from connector.words.reason import Reason
from webhooks.errors import WaybillError

DEADLINE_S = 30.0


async def run_checks(checks: Sequence[Check], shop_id: str, at: datetime, *, deadline_s: float = DEADLINE_S) -> Checkup:
    """The result of all of them. Findings come gravest first, and within a level in the order of the checks."""
    results: dict[int, list[Finding] | NotMade] = {}

    async def make(place: int, check: Check) -> None:
        results[place] = await _make(check, deadline_s)

    async with anyio.create_task_group() as group:
        for place, check in enumerate(checks):
            group.start_soon(make, place, check)
    findings: list[Finding] = []
    passed: list[str] = []
    not_made: list[NotMade] = []
    for place, check in enumerate(checks):
        result = results[place]
        if isinstance(result, NotMade):
            not_made.append(result)
        elif result:
            findings += [replace(finding, check=check.name) for finding in result]
        else:
            passed.append(check.name)
    findings.sort(key=lambda finding: LEVELS.index(finding.level))
    return Checkup(shop_id, at, tuple(findings), tuple(passed), tuple(not_made))


async def _make(check: Check, deadline_s: float) -> list[Finding] | NotMade:
    try:
        with anyio.fail_after(deadline_s):
            return await check.run()
    except TimeoutError:
        return NotMade(check.name, check.what, Reason("not_made_slow", {"seconds": int(deadline_s)}))
    except WaybillError as error:
        return NotMade(check.name, check.what, Reason("not_made_said", {"said": error.message}))
    except SQLAlchemyError:
        return NotMade(check.name, check.what, Reason("not_made_database"))
