"""Suites that every adapter of one kind passes; a newcomer subclasses one of them."""
