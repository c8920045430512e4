"""What the durable engine logs: from warnings on, through our handlers."""

from __future__ import annotations

import logging


class _NotForUs(logging.Filter):
    """Drops what DBOS says of every SQLite database, which our own tests answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "is for development and testing" not in record.getMessage()


def quiet() -> None:
    """Before DBOS is imported: its lines go through our handlers, from warnings on."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.addFilter(_NotForUs())
        logger.setLevel(logging.WARNING)
