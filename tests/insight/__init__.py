"""Insight: what shipping really cost and why, and what it would have cost."""
