"""Signed messages in and out, and the careful HTTP client; knows no store, carrier or shipment."""
