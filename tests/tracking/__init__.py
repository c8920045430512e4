"""Tracking: the fold, and what the store is told."""
