"""Tests of the storefront's doors."""
