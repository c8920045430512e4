"""Long fault runs and measurements; `scripts/faults` and `scripts/bench` list them."""
