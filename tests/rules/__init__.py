"""Rules: what a merchant sets, and what it makes of prices."""
