"""`python -m connector.cli` is `waybill`."""

from __future__ import annotations

from connector.cli import main

if __name__ == "__main__":  # Processes that are started from this one load its main module again.
    main()
