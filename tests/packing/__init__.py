"""Packing: from a cart to parcels."""
