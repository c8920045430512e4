"""From a cart to parcels; pure and deterministic."""
