"""The world of fakes for the tests of this folder."""

from tests.labels.world import any_world

__all__ = ["any_world"]
