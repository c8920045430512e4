"""Tests of the store platforms."""
