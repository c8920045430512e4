"""Suites that every adapter of one kind passes; a newcomer subclasses one of them."""

import pytest

pytest.register_assert_rewrite("tests.contracts.carrier_contract")
