"""Prices learned from a shop's own past live answers, each with how far it may be off."""
