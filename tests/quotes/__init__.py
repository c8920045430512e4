"""Quotes: reduce, ask, decide, keep, replay, explain."""
