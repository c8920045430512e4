"""Conditions and actions that a merchant sets; pure, and self-describing."""
