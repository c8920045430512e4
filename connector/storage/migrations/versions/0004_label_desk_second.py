"""label_desk_second."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_labels_shop_id_booked_handle"), ["shop_id", "booked_handle"], unique=False)
        batch_op.create_index(batch_op.f("ix_labels_shop_id_settled_at"), ["shop_id", "settled_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_labels_shop_id_tracking_code"), ["shop_id", "tracking_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_labels_shop_id_void_due"), ["shop_id", "void_due"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_labels_shop_id_void_due"))
        batch_op.drop_index(batch_op.f("ix_labels_shop_id_tracking_code"))
        batch_op.drop_index(batch_op.f("ix_labels_shop_id_settled_at"))
        batch_op.drop_index(batch_op.f("ix_labels_shop_id_booked_handle"))
