"""Shopify's statuses and GraphQL errors, told as what may be done about them.

StoreError
├── StoreRetryable
│   ├── Throttled        GraphQL's THROTTLED: refused before it ran; `retry_after_s` is when there is room again
│   └── …                5xx, 429, no answer, an answer that is not JSON, an error inside Shopify
├── StoreRefused         asked wrongly, or userErrors
└── StoreMisconfigured
    ├── TokenRejected    401: nothing ran; a new token may help
    └── …                scope, plan, frozen or unknown shop
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.store import StoreError, StoreMisconfigured, StoreRefused, StoreRetryable


class Throttled(StoreRetryable):
    """The bucket of query points is too empty for this operation, which was refused before it ran."""


class TokenRejected(StoreMisconfigured):
    """The access token is not (or no longer) valid; the operation did not run."""


@dataclass(frozen=True, slots=True)
class GraphQLProblem:
    """One entry of a GraphQL answer's `errors`: its code, where in the answer, and Shopify's sentence."""

    code: str
    path: tuple[str, ...]
    message: str


def read_problems(errors: object) -> tuple[GraphQLProblem, ...]:
    """The `errors` of an answer, whatever shape they have (a string for some failures of authentication)."""
    if not errors:
        return ()
    if not isinstance(errors, list):
        return (GraphQLProblem("", (), str(errors)[:500]),)
    return tuple(_problem(error) for error in errors)


def _problem(error: object) -> GraphQLProblem:
    if not isinstance(error, Mapping):
        return GraphQLProblem("", (), str(error)[:500])
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, Mapping) else None
    path = error.get("path")
    return GraphQLProblem(
        str(code or ""),
        tuple(str(part) for part in path) if isinstance(path, Sequence) and not isinstance(path, str) else (),
        str(error.get("message") or "")[:500],
    )


def from_status(status: int, *, request_id: str | None, retry_after_s: float | None) -> StoreError | None:
    """The error that an HTTP status stands for; None for 200."""
    known: dict[str, Any] = {"request_id": request_id, "retry_after_s": retry_after_s, "detail": f"HTTP {status}"}
    match status:
        case 200:
            return None
        case 401:
            return TokenRejected("Shopify does not accept the access token.", **known)
        case 402 | 423:
            return StoreMisconfigured("Shopify has frozen or locked this shop.", **known)
        case 403:
            return StoreMisconfigured("Shopify does not let the app do this.", **known)
        case 404:
            return StoreMisconfigured("Shopify knows no shop at this address.", **known)
        case 429 | 430:
            return StoreRetryable("Shopify asks for patience.", **known)
        case _ if 300 <= status < 400:
            return StoreMisconfigured("Shopify has moved this shop to another address.", **known)
        case _ if status >= 500:
            return StoreRetryable("Shopify is out of order at the moment.", **known)
        case _:
            return StoreRefused("Shopify did not accept the request.", **known)


def from_problems(
    problems: Iterable[GraphQLProblem], *, request_id: str | None, retry_after_s: float | None
) -> StoreError:
    """The error that a GraphQL answer's problems stand for, the gravest first."""
    by_code = {problem.code: problem for problem in reversed(tuple(problems))}
    detail = "; ".join(f"{p.code or 'error'} at {'.'.join(p.path) or 'top'}: {p.message}" for p in by_code.values())
    known: dict[str, Any] = {"request_id": request_id, "detail": detail}
    if "THROTTLED" in by_code:
        return Throttled("Shopify asks for patience.", retry_after_s=retry_after_s, **known)
    if "ACCESS_DENIED" in by_code:
        return StoreMisconfigured("The app lacks a permission (access scope) in this shop.", **known)
    if "SHOP_INACTIVE" in by_code:
        return StoreMisconfigured("This shop is not active at Shopify.", **known)
    if by_code.keys() & {"INTERNAL_SERVER_ERROR", "TIMEOUT"}:
        return StoreRetryable("Shopify is out of order at the moment.", **known)
    return StoreRefused("Shopify did not accept the request.", **known)


def from_user_errors(errors: Sequence[Mapping[str, Any]], request_id: str | None) -> StoreRefused:
    """The refusal that a mutation's `userErrors` stand for; Shopify's own sentences are kept."""
    said = "; ".join(
        f"{'.'.join(map(str, error.get('field') or ())) or 'input'}: {error.get('message') or 'refused'}"
        for error in errors
    )
    return StoreRefused("Shopify said no.", detail=said[:1000], request_id=request_id)
