"""The check-up of a shop: why its buyers may not see our prices, each cause named with its cure."""
