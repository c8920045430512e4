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
        "batch_items",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "batch_id", "position", name=op.f("pk_batch_items")),
    )
    with op.batch_alter_table("batch_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_items_shop_id_order_id"), ["shop_id", "order_id"], unique=False)

    op.create_table(
        "batches",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bought_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=80), nullable=False),
        sa.Column("over_cap", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_batches")),
    )
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batches_shop_id_made_at"), ["shop_id", "made_at"], unique=False)

    op.create_table(
        "brand_logos",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_brand_logos")),
    )
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

    op.create_table(
        "manifest_labels",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("label_id", sa.String(length=40), nullable=False),
        sa.Column("manifest_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "label_id", name=op.f("pk_manifest_labels")),
    )
    with op.batch_alter_table("manifest_labels", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_manifest_labels_shop_id_manifest_id"), ["shop_id", "manifest_id"], unique=False
        )

    op.create_table(
        "manifests",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("carrier", sa.String(length=60), nullable=False),
        sa.Column("location_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("handle", sa.String(length=120), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=True),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'unclear', 'pending', 'made', 'refused')", name=op.f("ck_manifests_state")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_manifests")),
    )
    with op.batch_alter_table("manifests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_manifests_shop_id_made_at"), ["shop_id", "made_at"], unique=False)

    op.create_table(
        "pack_checks",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("wrong", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'complete', 'overridden')", name=op.f("ck_pack_checks_state")),
        sa.PrimaryKeyConstraint("shop_id", "parcel_id", name=op.f("pk_pack_checks")),
    )
    op.create_table(
        "parcel_promises",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_country", sa.String(length=2), nullable=False),
        sa.Column("from_province", sa.String(length=40), nullable=False),
        sa.Column("from_region", sa.String(length=20), nullable=False),
        sa.Column("to_country", sa.String(length=2), nullable=False),
        sa.Column("to_province", sa.String(length=40), nullable=False),
        sa.Column("to_region", sa.String(length=20), nullable=False),
        sa.Column("quoted_earliest", sa.Date(), nullable=True),
        sa.Column("quoted_latest", sa.Date(), nullable=True),
        sa.Column("dates_by", sa.String(length=10), nullable=False),
        sa.Column("coverage", sa.Integer(), nullable=True),
        sa.Column("ships_on", sa.Date(), nullable=True),
        sa.Column("restarted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("earliest", sa.Date(), nullable=True),
        sa.Column("latest", sa.Date(), nullable=True),
        sa.Column("due_ships_on", sa.Date(), nullable=True),
        sa.Column("label_id", sa.String(length=40), nullable=True),
        sa.Column("account_id", sa.String(length=40), nullable=True),
        sa.Column("carrier", sa.String(length=60), nullable=False),
        sa.Column("service", sa.String(length=120), nullable=False),
        sa.Column("handed_over_on", sa.Date(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("transit_days", sa.Integer(), nullable=True),
        sa.Column("late_days", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "parcel_id", name=op.f("pk_parcel_promises")),
    )
    with op.batch_alter_table("parcel_promises", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_parcel_promises_shop_id_created_at"), ["shop_id", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_parcel_promises_shop_id_delivered_on"), ["shop_id", "delivered_on"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_parcel_promises_shop_id_handed_over_on"), ["shop_id", "handed_over_on"], unique=False
        )

    op.create_table(
        "pickups",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("location_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(length=120), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("earliest", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latest", sa.DateTime(timezone=True), nullable=False),
        sa.Column("instructions", sa.String(length=300), nullable=False),
        sa.Column("offers", sa.JSON(), nullable=False),
        sa.Column("chosen", sa.JSON(), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("confirmation", sa.String(length=120), nullable=False),
        sa.Column("why", sa.JSON(), nullable=True),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'offered', 'intent', 'sent', 'unclear', 'booked', 'refused', 'cancelling', 'cancelled')",
            name=op.f("ck_pickups_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('intent', 'sent', 'booked') OR minor IS NOT NULL", name=op.f("ck_pickups_intent")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_pickups")),
    )
    with op.batch_alter_table("pickups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pickups_shop_id_made_at"), ["shop_id", "made_at"], unique=False)

    op.create_table(
        "rule_drafts",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "name", name=op.f("pk_rule_drafts")),
    )
    op.create_table(
        "shipping_dues",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("due_minor", sa.BigInteger(), nullable=True),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("counted_minor", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.JSON(), nullable=True),
        sa.Column("guard", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "order_id", name=op.f("pk_shipping_dues")),
    )
    with op.batch_alter_table("shipping_dues", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_shipping_dues_shop_id_kind_placed_at"), ["shop_id", "kind", "placed_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_shipping_dues_shop_id_placed_at"), ["shop_id", "placed_at"], unique=False)

    op.create_table(
        "slip_codes",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "code", name=op.f("pk_slip_codes")),
    )
    with op.batch_alter_table("slip_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_slip_codes_shop_id_parcel_id"), ["shop_id", "parcel_id"], unique=False)

    op.create_table(
        "store_discounts",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("external_id", sa.String(length=160), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "name", name=op.f("pk_store_discounts")),
    )
    op.create_table(
        "store_holds",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("group_id", sa.String(length=120), nullable=False),
        sa.Column("wanted", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("shown", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "group_id", name=op.f("pk_store_holds")),
    )
    op.create_table(
        "transit_lanes",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("carrier", sa.String(length=60), nullable=False),
        sa.Column("service", sa.String(length=120), nullable=False),
        sa.Column("from_country", sa.String(length=2), nullable=False),
        sa.Column("from_region", sa.String(length=20), nullable=False),
        sa.Column("to_country", sa.String(length=2), nullable=False),
        sa.Column("to_region", sa.String(length=20), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint(
            "shop_id",
            "account_id",
            "carrier",
            "service",
            "from_country",
            "from_region",
            "to_country",
            "to_region",
            name=op.f("pk_transit_lanes"),
        ),
    )
    with op.batch_alter_table("invoice_lines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(length=16), server_default=sa.text("'file'"), nullable=False))
        batch_op.add_column(sa.Column("details", sa.JSON(), nullable=True))

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

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("locale", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("tags", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("subtotal_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("buyer_key", sa.String(length=32), nullable=True))
        batch_op.create_index(batch_op.f("ix_orders_shop_id_buyer_key"), ["shop_id", "buyer_key"], unique=False)

    with op.batch_alter_table("parcels", schema=None) as batch_op:
        batch_op.add_column(sa.Column("declared", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("marks", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("verified", sa.JSON(), nullable=True))

    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("channel", sa.String(length=16), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.drop_column("channel")

    with op.batch_alter_table("parcels", schema=None) as batch_op:
        batch_op.drop_column("verified")
        batch_op.drop_column("marks")
        batch_op.drop_column("declared")

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_shop_id_buyer_key"))
        batch_op.drop_column("buyer_key")
        batch_op.drop_column("subtotal_minor")
        batch_op.drop_column("tags")
        batch_op.drop_column("locale")
        batch_op.drop_column("paid_at")

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
        batch_op.drop_column("details")
        batch_op.drop_column("source")

    op.drop_table("transit_lanes")
    op.drop_table("store_holds")
    op.drop_table("store_discounts")
    with op.batch_alter_table("slip_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_slip_codes_shop_id_parcel_id"))

    op.drop_table("slip_codes")
    with op.batch_alter_table("shipping_dues", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shipping_dues_shop_id_placed_at"))
        batch_op.drop_index(batch_op.f("ix_shipping_dues_shop_id_kind_placed_at"))

    op.drop_table("shipping_dues")
    op.drop_table("rule_drafts")
    with op.batch_alter_table("pickups", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pickups_shop_id_made_at"))

    op.drop_table("pickups")
    with op.batch_alter_table("parcel_promises", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parcel_promises_shop_id_handed_over_on"))
        batch_op.drop_index(batch_op.f("ix_parcel_promises_shop_id_delivered_on"))
        batch_op.drop_index(batch_op.f("ix_parcel_promises_shop_id_created_at"))

    op.drop_table("parcel_promises")
    op.drop_table("pack_checks")
    with op.batch_alter_table("manifests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_manifests_shop_id_made_at"))

    op.drop_table("manifests")
    with op.batch_alter_table("manifest_labels", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_manifest_labels_shop_id_manifest_id"))

    op.drop_table("manifest_labels")
    with op.batch_alter_table("invoice_leftovers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_leftovers_shop_id_matched_at_at"))

    op.drop_table("invoice_leftovers")
    op.drop_table("invoice_columns")
    op.drop_table("brand_logos")
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batches_shop_id_made_at"))

    op.drop_table("batches")
    with op.batch_alter_table("batch_items", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_items_shop_id_order_id"))

    op.drop_table("batch_items")
