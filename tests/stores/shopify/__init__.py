"""Tests of the connection to Shopify."""
