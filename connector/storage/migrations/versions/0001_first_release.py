"""first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "amounts",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("from_account", sa.String(length=40), nullable=False),
        sa.Column("to_account", sa.String(length=40), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=True),
        sa.Column("label_id", sa.String(length=40), nullable=True),
        sa.Column("cause", sa.String(length=160), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_amounts")),
    )
    with op.batch_alter_table("amounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_amounts_shop_id_order_id"), ["shop_id", "order_id"], unique=False)
        batch_op.create_index("uq_amounts_cause", ["shop_id", "kind", "cause"], unique=True)

    op.create_table(
        "apps",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=200), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apps")),
        sa.UniqueConstraint("platform", "client_id", name=op.f("uq_apps_platform_client_id")),
    )
    op.create_table(
        "attention",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_attention")),
    )
    with op.batch_alter_table("attention", schema=None) as batch_op:
        batch_op.create_index(
            "uq_attention_open",
            ["shop_id", "code", "subject"],
            unique=True,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )

    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("shop_id", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('person', 'command', 'store', 'rule', 'system')", name=op.f("ck_audit_actor_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_shop_id_id", ["shop_id", "id"], unique=False)
        batch_op.create_index("ix_audit_subject", ["subject"], unique=False)

    op.create_table(
        "carrier_accounts",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("hook_token", sa.Text(), nullable=False),
        sa.Column("test_mode", sa.Boolean(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_carrier_accounts")),
    )
    op.create_table(
        "config_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_config_version_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_config_version")),
    )
    op.create_table(
        "due",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("slot", sa.String(length=208), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_due")),
        sa.UniqueConstraint("slot", name=op.f("uq_due_slot")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("due", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_due_due_at"), ["due_at"], unique=False)

    op.create_table(
        "executors",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("incarnation", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("fenced", sa.Boolean(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executors")),
    )
    op.create_table(
        "failures",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'failed', 'parked', 'retried')", name=op.f("ck_failures_state")),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_failures")),
        sa.UniqueConstraint("shop_id", "key", name=op.f("uq_failures_shop_id_key")),
    )
    with op.batch_alter_table("failures", schema=None) as batch_op:
        batch_op.create_index("ix_failures_state_at", ["state", "at"], unique=False)

    op.create_table(
        "inbox",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("endpoint", sa.String(length=100), nullable=False),
        sa.Column("delivery_key", sa.String(length=200), nullable=False),
        sa.Column("shop_id", sa.String(length=40), nullable=True),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("endpoint", "delivery_key", name=op.f("uq_inbox_endpoint_delivery_key")),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_state_received_at"), ["state", "received_at"], unique=False)

    op.create_table(
        "label_files",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("label_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("bytes", sa.Integer(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_label_files")),
    )
    with op.batch_alter_table("label_files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_label_files_shop_id_label_id"), ["shop_id", "label_id"], unique=False)

    op.create_table(
        "labels",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("carrier", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(length=120), nullable=False),
        sa.Column("rates", sa.JSON(), nullable=False),
        sa.Column("rate", sa.JSON(), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=80), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("intent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("refusal", sa.JSON(), nullable=True),
        sa.Column("tracking_code", sa.String(length=80), nullable=False),
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("tracking_url", sa.String(length=500), nullable=False),
        sa.Column("booked_handle", sa.String(length=120), nullable=False),
        sa.Column("booked_rate", sa.JSON(), nullable=True),
        sa.Column("booked_minor", sa.BigInteger(), nullable=True),
        sa.Column("booked_currency", sa.String(length=3), nullable=True),
        sa.Column("test_mode", sa.Boolean(), nullable=True),
        sa.Column("void_reason", sa.String(length=300), nullable=True),
        sa.Column("void_checks", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('created', 'intent', 'sent', 'unknown', 'bought', 'refused', 'void_requested', 'voided', 'void_refused', 'dropped')",
            name=op.f("ck_labels_state"),
        ),
        sa.CheckConstraint(
            "state IN ('created', 'refused', 'dropped') OR minor IS NOT NULL", name=op.f("ck_labels_intent")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_labels")),
    )
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_labels_shop_id_handle"), ["shop_id", "handle"], unique=False)
        batch_op.create_index(batch_op.f("ix_labels_shop_id_parcel_id"), ["shop_id", "parcel_id"], unique=False)
        batch_op.create_index(
            "uq_labels_live",
            ["shop_id", "parcel_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('created', 'intent', 'sent', 'unknown', 'bought')"),
            postgresql_where=sa.text("state IN ('created', 'intent', 'sent', 'unknown', 'bought')"),
        )

    op.create_table(
        "locations",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_locations")),
        sa.UniqueConstraint("shop_id", "external_id", name=op.f("uq_locations_shop_id_external_id")),
    )
    with op.batch_alter_table("locations", schema=None) as batch_op:
        batch_op.create_index(
            "uq_locations_default",
            ["shop_id"],
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        )

    op.create_table(
        "orders",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("paid", sa.Boolean(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("charged_minor", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_orders")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_shop_id_name"), ["shop_id", "name"], unique=False)
        batch_op.create_index("uq_orders_external_id", ["shop_id", "external_id"], unique=True)

    op.create_table(
        "parcels",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("order_external_id", sa.String(length=120), nullable=False),
        sa.Column("group_id", sa.String(length=120), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.JSON(), nullable=True),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("grams", sa.Integer(), nullable=False),
        sa.Column("size_mm", sa.JSON(), nullable=True),
        sa.Column("plan_id", sa.String(length=32), nullable=False),
        sa.Column("location_id", sa.String(length=40), nullable=False),
        sa.Column("store_location_id", sa.String(length=120), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quote_id", sa.String(length=40), nullable=True),
        sa.Column("offer_code", sa.String(length=120), nullable=False),
        sa.Column("bought_as", sa.JSON(), nullable=True),
        sa.Column("pickup_point", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'held', 'buying', 'unknown', 'bought', 'refused', 'cancelled', 'voided')",
            name=op.f("ck_parcels_state"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_parcels")),
    )
    with op.batch_alter_table("parcels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parcels_shop_id_order_id"), ["shop_id", "order_id"], unique=False)
        batch_op.create_index(
            "uq_parcels_live_number",
            ["shop_id", "order_id", "group_id", "number"],
            unique=True,
            sqlite_where=sa.text("state != 'cancelled'"),
            postgresql_where=sa.text("state != 'cancelled'"),
        )

    op.create_table(
        "persons",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_persons")),
    )
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.create_index("ix_persons_keep_until", ["keep_until"], unique=False)

    op.create_table(
        "queued_keys",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_queued_keys")),
    )
    with op.batch_alter_table("queued_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_queued_keys_queued_at"), ["queued_at"], unique=False)

    op.create_table(
        "quote_facts",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "hash", name=op.f("pk_quote_facts")),
    )
    op.create_table(
        "quotes",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        sa.Column("facts_hash", sa.String(length=64), nullable=False),
        sa.Column("match_key", sa.String(length=64), nullable=False),
        sa.Column("plan_id", sa.String(length=32), nullable=False),
        sa.Column("cart", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=False),
        sa.Column("echo", sa.JSON(), nullable=False),
        sa.Column("signature", sa.String(length=16), nullable=False),
        sa.Column("answer_digest", sa.String(length=64), nullable=False),
        sa.Column("elapsed_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_quotes")),
    )
    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quotes_shop_id_at"), ["shop_id", "at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_quotes_shop_id_match_key_at"), ["shop_id", "match_key", "at"], unique=False
        )

    op.create_table(
        "run_deaths",
        sa.Column("run_id", sa.String(length=224), nullable=False),
        sa.Column("executor_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "executor_id", name=op.f("pk_run_deaths")),
    )
    op.create_table(
        "run_places",
        sa.Column("run_id", sa.String(length=224), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_places")),
    )
    op.create_table(
        "settings_versions",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "version", name=op.f("pk_settings_versions")),
    )
    op.create_table(
        "store_events",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("label_id", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "label_id", "status", "at", name=op.f("pk_store_events")),
    )
    op.create_table(
        "stray_updates",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("tracking_code", sa.String(length=80), nullable=False),
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("update", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_stray_updates")),
    )
    with op.batch_alter_table("stray_updates", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_stray_updates_shop_id_tracking_code"), ["shop_id", "tracking_code"], unique=False
        )

    op.create_table(
        "sweeps",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "name", name=op.f("pk_sweeps")),
    )
    op.create_table(
        "tracking_events",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("label_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.String(length=80), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "label_id", "key", name=op.f("pk_tracking_events")),
    )
    op.create_table(
        "trackings",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("label_id", sa.String(length=40), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("order_external_id", sa.String(length=120), nullable=False),
        sa.Column("group_id", sa.String(length=120), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("store_location_id", sa.String(length=120), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("carrier", sa.String(length=60), nullable=False),
        sa.Column("tracking_code", sa.String(length=80), nullable=False),
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("estimated_delivery", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fulfil_state", sa.String(length=16), nullable=False),
        sa.Column("fulfil_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fulfilment_id", sa.String(length=120), nullable=True),
        sa.Column("notify_buyer", sa.Boolean(), nullable=False),
        sa.Column("claim", sa.String(length=120), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "label_id", name=op.f("pk_trackings")),
    )
    with op.batch_alter_table("trackings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trackings_shop_id_parcel_id"), ["shop_id", "parcel_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trackings_shop_id_tracker"), ["shop_id", "tracker"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_trackings_shop_id_tracking_code"), ["shop_id", "tracking_code"], unique=False
        )

    op.create_table(
        "shops",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("app_id", sa.String(length=40), nullable=True),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("credentials", sa.Text(), nullable=False),
        sa.Column("rates_token", sa.Text(), nullable=False),
        sa.Column("hooks_token", sa.Text(), nullable=False),
        sa.Column("access_tokens", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('live', 'gone')", name=op.f("ck_shops_status")),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_shops_app_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shops")),
    )
    with op.batch_alter_table("shops", schema=None) as batch_op:
        batch_op.create_index(
            "uq_shops_live_domain",
            ["platform", "domain"],
            unique=True,
            sqlite_where=sa.text("status = 'live'"),
            postgresql_where=sa.text("status = 'live'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("shops", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_shops_live_domain", sqlite_where=sa.text("status = 'live'"), postgresql_where=sa.text("status = 'live'")
        )

    op.drop_table("shops")
    with op.batch_alter_table("trackings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trackings_shop_id_tracking_code"))
        batch_op.drop_index(batch_op.f("ix_trackings_shop_id_tracker"))
        batch_op.drop_index(batch_op.f("ix_trackings_shop_id_parcel_id"))

    op.drop_table("trackings")
    op.drop_table("tracking_events")
    op.drop_table("sweeps")
    with op.batch_alter_table("stray_updates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stray_updates_shop_id_tracking_code"))

    op.drop_table("stray_updates")
    op.drop_table("store_events")
    op.drop_table("settings_versions")
    op.drop_table("run_places")
    op.drop_table("run_deaths")
    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quotes_shop_id_match_key_at"))
        batch_op.drop_index(batch_op.f("ix_quotes_shop_id_at"))

    op.drop_table("quotes")
    op.drop_table("quote_facts")
    with op.batch_alter_table("queued_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_queued_keys_queued_at"))

    op.drop_table("queued_keys")
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.drop_index("ix_persons_keep_until")

    op.drop_table("persons")
    with op.batch_alter_table("parcels", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_parcels_live_number",
            sqlite_where=sa.text("state != 'cancelled'"),
            postgresql_where=sa.text("state != 'cancelled'"),
        )
        batch_op.drop_index(batch_op.f("ix_parcels_shop_id_order_id"))

    op.drop_table("parcels")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index("uq_orders_external_id")
        batch_op.drop_index(batch_op.f("ix_orders_shop_id_name"))

    op.drop_table("orders")
    with op.batch_alter_table("locations", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_locations_default", sqlite_where=sa.text("is_default"), postgresql_where=sa.text("is_default")
        )

    op.drop_table("locations")
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_labels_live",
            sqlite_where=sa.text("state IN ('created', 'intent', 'sent', 'unknown', 'bought')"),
            postgresql_where=sa.text("state IN ('created', 'intent', 'sent', 'unknown', 'bought')"),
        )
        batch_op.drop_index(batch_op.f("ix_labels_shop_id_parcel_id"))
        batch_op.drop_index(batch_op.f("ix_labels_shop_id_handle"))

    op.drop_table("labels")
    with op.batch_alter_table("label_files", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_label_files_shop_id_label_id"))

    op.drop_table("label_files")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbox_state_received_at"))

    op.drop_table("inbox")
    with op.batch_alter_table("failures", schema=None) as batch_op:
        batch_op.drop_index("ix_failures_state_at")

    op.drop_table("failures")
    op.drop_table("executors")
    with op.batch_alter_table("due", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_due_due_at"))

    op.drop_table("due")
    op.drop_table("config_version")
    op.drop_table("carrier_accounts")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_subject")
        batch_op.drop_index("ix_audit_shop_id_id")

    op.drop_table("audit")
    with op.batch_alter_table("attention", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_attention_open",
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )

    op.drop_table("attention")
    op.drop_table("apps")
    with op.batch_alter_table("amounts", schema=None) as batch_op:
        batch_op.drop_index("uq_amounts_cause")
        batch_op.drop_index(batch_op.f("ix_amounts_shop_id_order_id"))

    op.drop_table("amounts")
