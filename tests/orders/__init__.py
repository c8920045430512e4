"""Orders: read again, planned, held, released, cancelled, swept."""
