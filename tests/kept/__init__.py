"""Databases that earlier releases left behind, and that this one has to carry on with."""
