"""Backup, restore and moving, with work in flight."""
