"""Texts by language: everything shown is rendered here from a code and typed parameters."""
