"""Every operation that is sent to Shopify, against the whole schema of 2026-10 and the scopes that it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    validate,
    visit,
)

from connector.stores.shopify import check_queries, queries
from tests.simulators.shopify_graphql import MOST_POINTS, cost, covers, load_schema, load_scopes

OPERATIONS = {
    name: text
    for name, text in (vars(queries) | vars(check_queries)).items()
    if name.isupper() and not name.startswith("_") and isinstance(text, str)
}


def fields_of(reference: Path, document: DocumentNode) -> set[str]:
    """Every `Type.field` that an operation selects, and every type that it gets."""
    schema = load_schema(reference)
    found: set[str] = set()
    info = TypeInfo(schema)

    class Collect(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent, gives = info.get_parent_type(), info.get_type()
            assert parent is not None
            assert gives is not None
            found.update({f"{parent.name}.{node.name.value}", get_named_type(gives).name})

    visit(document, TypeInfoVisitor(info, Collect()))
    return found


def test_there_are_operations() -> None:
    assert len(OPERATIONS) >= 20


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_is_valid_in_the_whole_schema(reference: Path, name: str) -> None:
    assert validate(load_schema(reference), parse(OPERATIONS[name])) == []


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_costs_no_more_than_shopify_runs(reference: Path, name: str) -> None:
    variables: dict[str, Any] = {"first": 240, "numbers": 3, "ids": ["gid://shopify/ProductVariant/1"] * 100}
    assert cost(load_schema(reference), parse(OPERATIONS[name]), variables) <= MOST_POINTS


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_mutation_asks_for_its_user_errors(name: str) -> None:
    document = parse(OPERATIONS[name])
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and node.operation.value == "mutation":
            assert "userErrors { field message" in OPERATIONS[name]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_our_scopes_cover_every_field_that_is_read(reference: Path, name: str) -> None:
    scopes = load_scopes(reference)
    granted = frozenset(queries.SCOPES)
    for field in fields_of(reference, parse(OPERATIONS[name])):
        wanted = scopes.get(field)
        assert not wanted or covers(granted, wanted), f"{field} needs one of {sorted(wanted)}"


def test_each_scope_is_needed(reference: Path) -> None:
    """Merchants are asked for no permission that nothing uses."""
    scopes = load_scopes(reference)
    used = set().union(*(fields_of(reference, parse(text)) for text in OPERATIONS.values()))
    for scope in queries.SCOPES:
        rest = frozenset(queries.SCOPES) - {scope}
        assert any(field in scopes and not covers(rest, scopes[field]) for field in used), scope
