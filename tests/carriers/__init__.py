"""Tests of the carriers package."""
