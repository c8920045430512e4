"""Logging: structlog and the standard library through one path that lets no personal data or token pass."""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from connector.redaction import describe_trace, redact_fields, redact_text

# What structlog itself puts beside our fields.
_OWN = ("_record", "_from_structlog")

# Loggers that would write what we keep out (uvicorn's access log has the callback tokens) or say too much.
_SILENT = ("uvicorn.access",)
_QUIET = ("httpx2", "httpcore2", "sqlalchemy", "alembic", "apscheduler", "asyncio")


def set_up_logs(
    form: Literal["text", "json"] = "text",
    level: Literal["debug", "info", "warning", "error"] = "info",
    stream: TextIO | None = None,
) -> None:
    """Send every log line of the process to `stream` (default: standard error) in the given form; may be repeated."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, sort_keys=False, pad_event_to=0)
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[flatten_error, redact_event, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _SILENT:
        logging.getLogger(name).disabled = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def flatten_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Turn `exc_info` into type and places; messages that may hold values are left out."""
    info = event.pop("exc_info", None)
    record = event.get("_record")
    if not info and isinstance(record, logging.LogRecord):
        info = record.exc_info
        record.exc_info, record.exc_text = None, None
    if info is True:
        info = sys.exc_info()
    exc = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else None
    if exc is not None:
        event["trace"] = describe_trace(exc)
    event.pop("stack_info", None)
    return event


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leave out personal fields, hide secrets, and clean the text of the line."""
    for own in _OWN:
        event.pop(own, None)
    said = event.pop("event", "")
    return {"event": redact_text(str(said)), **redact_fields(event)}
