"""One call to Shopify's Admin API: GraphQL over HTTP, every failure told by its class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog

from connector.store import StoreError, StoreRetryable
from connector.stores.shopify.errors import (
    GraphQLProblem,
    from_problems,
    from_status,
    from_user_errors,
    read_problems,
)
from webhooks.errors import NoAnswer, NotSent
from webhooks.outgoing import HTTPAnswer, Outgoing
from webhooks.ports import Fence

_log = structlog.get_logger(__name__)

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ShopTarget:
    """Which shop's API is called, and which version of it."""

    domain: str
    base: str
    version: str

    @property
    def graphql_url(self) -> str:
        """Where operations are posted to."""
        return f"{self.base}/admin/api/{self.version}/graphql.json"

    @property
    def token_url(self) -> str:
        """Where access tokens are asked for."""
        return f"{self.base}/admin/oauth/access_token"


@dataclass(frozen=True, slots=True)
class GraphQLAnswer:
    """An operation's data. `problems` are errors beside it, which the caller said it can do without."""

    data: Data
    problems: tuple[GraphQLProblem, ...]
    request_id: str | None


def throttle_wait_s(cost: object) -> float | None:
    """How long until an operation of that cost has room: (requested - available) / restore rate, in seconds.

    None where Shopify did not say. Source: shopify.dev, "API rate limits", 2026-10.
    """
    try:
        status = cost["throttleStatus"]  # type: ignore[index]
        requested = Decimal(str(cost["requestedQueryCost"]))  # type: ignore[index]
        available, rate = Decimal(str(status["currentlyAvailable"])), Decimal(str(status["restoreRate"]))
        return float(max((requested - available) / rate, Decimal(0)))
    except (KeyError, TypeError, InvalidOperation, ZeroDivisionError):
        return None


class AdminClient:
    """Makes single calls: shop, version and token are named each time, and nothing is kept or repeated.

    Raises StoreError by class; see `errors`. What a mutation's `userErrors` say is raised as StoreRefused.
    """

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._warned: set[tuple[str, str]] = set()

    async def execute(
        self,
        target: ShopTarget,
        token: str,
        operation: str,
        variables: Mapping[str, Any],
        *,
        deadline_s: float,
        fence: Fence | None = None,
        spare: frozenset[str] = frozenset(),
    ) -> GraphQLAnswer:
        """Run one operation. Fields named in `spare` may be refused for want of permission: they are then null."""
        answer = await _send(
            self._outgoing,
            target.graphql_url,
            {"query": operation, "variables": variables},
            {"x-shopify-access-token": token},
            deadline_s,
            fence,
        )
        self._watch_version(target, answer)
        request_id = answer.headers.get("x-request-id")
        failure = from_status(answer.status, request_id=request_id, retry_after_s=_retry_after_s(answer))
        if failure is not None:
            raise failure
        return _read(answer, request_id, spare, token, is_write=fence is not None)

    async def ask_token(self, target: ShopTarget, form: Mapping[str, str], *, deadline_s: float) -> Data:
        """Post to the token endpoint. The answer holds secrets: it is never logged."""
        answer = await _send(self._outgoing, target.token_url, form, {"accept": "application/json"}, deadline_s, None)
        request_id = answer.headers.get("x-request-id")
        failure = from_status(answer.status, request_id=request_id, retry_after_s=_retry_after_s(answer))
        if failure is not None:
            raise failure
        return _json_object(answer, request_id)

    def _watch_version(self, target: ShopTarget, answer: HTTPAnswer) -> None:
        """Shopify falls forward from a version that has ended, without an error: say so, once for each shop."""
        answered = answer.headers.get("x-shopify-api-version")
        if answered and answered != target.version and (target.domain, answered) not in self._warned:
            self._warned.add((target.domain, answered))
            _log.warning("shopify_version_differs", shop=target.domain, asked=target.version, answered=answered)


async def _send(
    outgoing: Outgoing, url: str, body: Any, headers: Mapping[str, str], deadline_s: float, fence: Fence | None
) -> HTTPAnswer:
    try:
        return await outgoing.request(
            "POST", url, deadline_s=deadline_s, headers=headers, json=body, fence=fence, max_bytes=32 * 1024 * 1024
        )
    except NotSent as error:
        raise StoreRetryable("Shopify could not be reached.", detail=f"not sent: {error.detail}") from error
    except NoAnswer as error:
        raise StoreRetryable("Shopify did not answer.", detail=f"no answer: {error.detail}") from error


def _read(
    answer: HTTPAnswer, request_id: str | None, spare: frozenset[str], token: str, *, is_write: bool
) -> GraphQLAnswer:
    body = _json_object(answer, request_id)
    problems = read_problems(body.get("errors"))
    data = body.get("data")
    if not isinstance(data, dict):
        if not problems:
            raise _garbled("no data", request_id)
        data = {}
    extensions = body.get("extensions")
    wait = throttle_wait_s(extensions.get("cost")) if isinstance(extensions, dict) else None
    if is_write and problems and any(data.values()):
        # A mutation that gave a part of its answer has run.
        raise StoreRetryable("Shopify's answer is not whole: the outcome is not known.", request_id=request_id)
    if problems and not _can_do_without(problems, data, spare):
        raise without(from_problems(problems, request_id=request_id, retry_after_s=wait), token)
    for value in data.values():
        said = value.get("userErrors") if isinstance(value, dict) else None
        if said:
            raise without(from_user_errors(said, request_id), token)
    return GraphQLAnswer(data, problems, request_id)


def _can_do_without(problems: tuple[GraphQLProblem, ...], data: Data, spare: frozenset[str]) -> bool:
    """Whether all that is missing may be: a refused field that cannot be null takes its whole object with it."""
    refused_fields = all(p.code == "ACCESS_DENIED" and spare.intersection(p.path) for p in problems)
    return refused_fields and bool(data) and None not in data.values()


def without(error: StoreError, secret: str) -> StoreError:
    """The same error, with the secret taken out of its detail, should the other party have echoed it."""
    if secret:
        error.detail = error.detail.replace(secret, "***")
    return error


def _json_object(answer: HTTPAnswer, request_id: str | None) -> Data:
    try:
        body = json.loads(answer.content, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise _garbled(f"no JSON: {answer.headers.get('content-type', '')[:60]}", request_id) from error
    if not isinstance(body, dict):
        raise _garbled("no object", request_id)
    return body


def _garbled(detail: str, request_id: str | None) -> StoreRetryable:
    return StoreRetryable("Shopify's answer cannot be understood.", detail=detail, request_id=request_id)


def _retry_after_s(answer: HTTPAnswer) -> float | None:
    """The header's seconds; a date there (Shopify sends none) counts as nothing said."""
    try:
        seconds = float(answer.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
