"""buyer_and_label_desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invoice_columns",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("carrier", sa.String(length=60), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("amounts", sa.String(length=16), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "carrier", name=op.f("pk_invoice_columns")),
    )
    op.create_table(
        "invoice_leftovers",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("invoice", sa.String(length=80), nullable=False),
        sa.Column("line", sa.String(length=20), nullable=False),
        sa.Column("tracking", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("amounts", sa.String(length=16), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("why", sa.String(length=24), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "key", name=op.f("pk_invoice_leftovers")),
    )
    with op.batch_alter_table("invoice_leftovers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_invoice_leftovers_shop_id_matched_at_at"), ["shop_id", "matched_at", "at"], unique=False
        )

    with op.batch_alter_table("invoice_lines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(length=16), server_default=sa.text("'file'"), nullable=False))
        batch_op.add_column(sa.Column("details", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("cause", sa.String(length=24), nullable=True))

    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refund", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("void_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("void_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("void_tries", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("void_due", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("refund_accepted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("refund_back_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("refund_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("void_said", sa.String(length=300), nullable=True))

    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("channel", sa.String(length=16), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.drop_column("channel")

    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.drop_column("void_said")
        batch_op.drop_column("refund_minor")
        batch_op.drop_column("refund_back_at")
        batch_op.drop_column("refund_accepted_at")
        batch_op.drop_column("void_due")
        batch_op.drop_column("void_tries")
        batch_op.drop_column("void_until")
        batch_op.drop_column("void_at")
        batch_op.drop_column("refund")

    with op.batch_alter_table("invoice_lines", schema=None) as batch_op:
        batch_op.drop_column("cause")
        batch_op.drop_column("details")
        batch_op.drop_column("source")

    with op.batch_alter_table("invoice_leftovers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_leftovers_shop_id_matched_at_at"))

    op.drop_table("invoice_leftovers")
    op.drop_table("invoice_columns")
