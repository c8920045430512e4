"""Durable work: what was queued in a transaction runs at least once, in some worker, whatever dies meanwhile."""
