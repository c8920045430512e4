"""Attention: one list of what needs a person."""
