"""Promises: from transit days to a date window."""
