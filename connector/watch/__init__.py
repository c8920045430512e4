"""Watches the installation and its shops from the clock: what is wrong for long enough comes before a person."""
