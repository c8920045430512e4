"""Run by alembic for each command: uses the connection and the MetaData that `migrate` hands over."""

from __future__ import annotations

from alembic import context

context.configure(**context.config.attributes["configure"])
with context.begin_transaction():
    context.run_migrations()
