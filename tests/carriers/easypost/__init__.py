"""Tests of the EasyPost carrier."""
