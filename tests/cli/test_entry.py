"""`python -m connector.cli` is the command line; whoever only loads the module starts nothing."""

from __future__ import annotations

import runpy


def test_a_process_that_loads_the_main_module_again_runs_no_command() -> None:
    """Processes that are spawned from a server load its main module, under another name."""
    loaded = runpy.run_module("connector.cli.__main__", run_name="__mp_main__")
    assert "main" in loaded
