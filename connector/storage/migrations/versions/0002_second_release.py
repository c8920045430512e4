"""second_release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_messages",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_messages")),
    )
    with op.batch_alter_table("alert_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_messages_state_due_at"), ["state", "due_at"], unique=False)

    op.create_table(
        "alerts_told",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("matter_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "matter_id", "kind", name=op.f("pk_alerts_told")),
    )
    with op.batch_alter_table("alerts_told", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alerts_told_at"), ["at"], unique=False)

    op.create_table(
        "buying_gates",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("shut_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.JSON(), nullable=True),
        sa.Column("needed_minor", sa.BigInteger(), nullable=True),
        sa.Column("needed_currency", sa.String(length=3), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.Column("probe_parcel_id", sa.String(length=40), nullable=True),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "subject", name=op.f("pk_buying_gates")),
    )
    op.create_table(
        "buying_waits",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=80), nullable=False),
        sa.Column("over_cap", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "parcel_id", name=op.f("pk_buying_waits")),
    )
    with op.batch_alter_table("buying_waits", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_buying_waits_shop_id_subject_since"), ["shop_id", "subject", "since"], unique=False
        )

    op.create_table(
        "catalogue_state",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("emptied", sa.BigInteger(), nullable=False),
        sa.Column("sweep", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.String(length=500), nullable=False),
        sa.Column("sweep_began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_catalogue_state")),
    )
    op.create_table(
        "catalogue_to_read",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.String(length=120), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "product_id", name=op.f("pk_catalogue_to_read")),
    )
    op.create_table(
        "catalogue_variants",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("variant_id", sa.String(length=120), nullable=False),
        sa.Column("product_id", sa.String(length=120), nullable=False),
        sa.Column("sku", sa.String(length=120), nullable=False),
        sa.Column("own", sa.JSON(), nullable=False),
        sa.Column("measured", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("bad_fields", sa.JSON(), nullable=False),
        sa.Column("store", sa.JSON(), nullable=False),
        sa.Column("merged", sa.Text(), nullable=False),
        sa.Column("swept", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "key", name=op.f("pk_catalogue_variants")),
    )
    with op.batch_alter_table("catalogue_variants", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_catalogue_variants_shop_id_product_id"), ["shop_id", "product_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_catalogue_variants_shop_id_sku"), ["shop_id", "sku"], unique=False)
        batch_op.create_index(batch_op.f("ix_catalogue_variants_shop_id_version"), ["shop_id", "version"], unique=False)

    op.create_table(
        "checkups",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("passed", sa.JSON(), nullable=False),
        sa.Column("not_made", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_checkups")),
    )
    op.create_table(
        "desk_forms",
        sa.Column("form_hash", sa.String(length=64), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=1000), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("form_hash", name=op.f("pk_desk_forms")),
    )
    with op.batch_alter_table("desk_forms", schema=None) as batch_op:
        batch_op.create_index("ix_desk_forms_at", ["at"], unique=False)

    op.create_table(
        "expected_adjustments",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("carrier", sa.String(length=60), nullable=False),
        sa.Column("service", sa.String(length=120), nullable=False),
        sa.Column("permille", sa.Integer(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "account_id", "carrier", "service", name=op.f("pk_expected_adjustments")),
    )
    op.create_table(
        "invoice_lines",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("label_id", sa.String(length=40), nullable=False),
        sa.Column("invoice", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "label_id", "invoice", name=op.f("pk_invoice_lines")),
    )
    with op.batch_alter_table("invoice_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invoice_lines_shop_id_at"), ["shop_id", "at"], unique=False)

    op.create_table(
        "live_answers",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("writer", sa.String(length=40), nullable=False),
        sa.Column("lanes", sa.JSON(), nullable=False),
        sa.Column("grams", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_live_answers")),
    )
    with op.batch_alter_table("live_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_answers_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_live_answers_shop_id_at"), ["shop_id", "at"], unique=False)

    op.create_table(
        "measurements",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=True),
        sa.Column("cause", sa.String(length=160), nullable=False),
        sa.Column("grams", sa.Integer(), nullable=True),
        sa.Column("size_mm", sa.JSON(), nullable=True),
        sa.Column("planned_grams", sa.Integer(), nullable=True),
        sa.Column("planned_size_mm", sa.JSON(), nullable=True),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("own_box", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_measurements")),
    )
    with op.batch_alter_table("measurements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_measurements_shop_id_at"), ["shop_id", "at"], unique=False)
        batch_op.create_index("uq_measurements_cause", ["shop_id", "source", "cause"], unique=True)

    op.create_table(
        "quote_differences",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("quote_id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("service", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stand_in", sa.String(length=16), nullable=False),
        sa.Column("shown_minor", sa.Integer(), nullable=False),
        sa.Column("live_minor", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "quote_id", "account_id", "service", name=op.f("pk_quote_differences")),
    )
    with op.batch_alter_table("quote_differences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quote_differences_shop_id_at"), ["shop_id", "at"], unique=False)

    op.create_table(
        "quote_plans",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_quote_plans")),
    )
    with op.batch_alter_table("quote_plans", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quote_plans_used_at"), ["used_at"], unique=False)

    op.create_table(
        "quote_repeats",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("quote_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "quote_id", "at", name=op.f("pk_quote_repeats")),
    )
    op.create_table(
        "rate_request_days",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "day", "outcome", name=op.f("pk_rate_request_days")),
    )
    op.create_table(
        "refused_signatures",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "kind", "day", name=op.f("pk_refused_signatures")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.String(length=32), nullable=False),
        sa.Column("key_stamp", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
    )
    op.create_table(
        "watch_signs",
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.Column("bad_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("good_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "code", "subject", name=op.f("pk_watch_signs")),
    )
    op.create_table(
        "watch_turns",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watch_turns")),
    )
    op.create_table(
        "desk_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_desk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_desk_sessions")),
    )
    with op.batch_alter_table("desk_sessions", schema=None) as batch_op:
        batch_op.create_index("ix_desk_sessions_ends_at", ["ends_at"], unique=False)
        batch_op.create_index("ix_desk_sessions_user_id", ["user_id"], unique=False)

    op.create_table(
        "login_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('first', 'invite', 'reset')", name=op.f("ck_login_links_kind")),
        sa.CheckConstraint("role IN ('owner', 'packer')", name=op.f("ck_login_links_role")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_login_links_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_login_links")),
    )
    with op.batch_alter_table("login_links", schema=None) as batch_op:
        batch_op.create_index("ix_login_links_ends_at", ["ends_at"], unique=False)

    op.create_table(
        "memberships",
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("shop_id", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'packer')", name=op.f("ck_memberships_role")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "shop_id", name=op.f("pk_memberships")),
    )
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.create_index("ix_memberships_shop_id", ["shop_id"], unique=False)

    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.add_column(sa.Column("previous_secret", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("api_base", sa.String(length=500), server_default=sa.text("('')"), nullable=False)
        )

    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_labels_shop_id_intent_at"), ["shop_id", "intent_at"], unique=False)

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("country", sa.String(length=2), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_orders_shop_id_country_placed_at"), ["shop_id", "country", "placed_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_orders_shop_id_placed_at"), ["shop_id", "placed_at"], unique=False)

    with op.batch_alter_table("parcels", schema=None) as batch_op:
        batch_op.add_column(sa.Column("goods", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("carton", sa.String(length=60), server_default=sa.text("('')"), nullable=False))
        batch_op.add_column(
            sa.Column("packaging", sa.String(length=80), server_default=sa.text("('')"), nullable=False)
        )
        batch_op.add_column(sa.Column("released", sa.JSON(), nullable=True))
        batch_op.create_index(batch_op.f("ix_parcels_shop_id_state"), ["shop_id", "state"], unique=False)

    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hold_key", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("writer", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("country", sa.String(length=2), nullable=True))
        batch_op.add_column(sa.Column("source", sa.String(length=16), nullable=True))
        batch_op.create_index(batch_op.f("ix_quotes_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_quotes_shop_id_country_at"), ["shop_id", "country", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_quotes_shop_id_outcome_at"), ["shop_id", "outcome", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_quotes_shop_id_source_at"), ["shop_id", "source", "at"], unique=False)

    with op.batch_alter_table("shops", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rates_on", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("callbacks_base", sa.String(length=500), nullable=True))
        batch_op.add_column(sa.Column("redacted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("token_claim", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("token_claim_until", sa.Double(), nullable=True))

    with op.batch_alter_table("trackings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("told", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("told_stale", sa.Boolean(), nullable=True))
        batch_op.create_index(batch_op.f("ix_trackings_shop_id_order_id"), ["shop_id", "order_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("trackings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trackings_shop_id_order_id"))
        batch_op.drop_column("told_stale")
        batch_op.drop_column("told")

    with op.batch_alter_table("shops", schema=None) as batch_op:
        batch_op.drop_column("token_claim_until")
        batch_op.drop_column("token_claim")
        batch_op.drop_column("redacted_at")
        batch_op.drop_column("callbacks_base")
        batch_op.drop_column("rates_on")

    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quotes_shop_id_source_at"))
        batch_op.drop_index(batch_op.f("ix_quotes_shop_id_outcome_at"))
        batch_op.drop_index(batch_op.f("ix_quotes_shop_id_country_at"))
        batch_op.drop_index(batch_op.f("ix_quotes_at"))
        batch_op.drop_column("source")
        batch_op.drop_column("country")
        batch_op.drop_column("writer")
        batch_op.drop_column("hold_key")

    with op.batch_alter_table("parcels", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parcels_shop_id_state"))
        batch_op.drop_column("released")
        batch_op.drop_column("packaging")
        batch_op.drop_column("carton")
        batch_op.drop_column("goods")

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_shop_id_placed_at"))
        batch_op.drop_index(batch_op.f("ix_orders_shop_id_country_placed_at"))
        batch_op.drop_column("country")

    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_labels_shop_id_intent_at"))

    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.drop_column("api_base")
        batch_op.drop_column("changed_at")
        batch_op.drop_column("previous_secret")

    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.drop_index("ix_memberships_shop_id")

    op.drop_table("memberships")
    with op.batch_alter_table("login_links", schema=None) as batch_op:
        batch_op.drop_index("ix_login_links_ends_at")

    op.drop_table("login_links")
    with op.batch_alter_table("desk_sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_sessions_user_id")
        batch_op.drop_index("ix_desk_sessions_ends_at")

    op.drop_table("desk_sessions")
    op.drop_table("watch_turns")
    op.drop_table("watch_signs")
    op.drop_table("users")
    op.drop_table("refused_signatures")
    op.drop_table("rate_request_days")
    op.drop_table("quote_repeats")
    with op.batch_alter_table("quote_plans", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quote_plans_used_at"))

    op.drop_table("quote_plans")
    with op.batch_alter_table("quote_differences", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quote_differences_shop_id_at"))

    op.drop_table("quote_differences")
    with op.batch_alter_table("measurements", schema=None) as batch_op:
        batch_op.drop_index("uq_measurements_cause")
        batch_op.drop_index(batch_op.f("ix_measurements_shop_id_at"))

    op.drop_table("measurements")
    with op.batch_alter_table("live_answers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_live_answers_shop_id_at"))
        batch_op.drop_index(batch_op.f("ix_live_answers_at"))

    op.drop_table("live_answers")
    with op.batch_alter_table("invoice_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_lines_shop_id_at"))

    op.drop_table("invoice_lines")
    op.drop_table("expected_adjustments")
    with op.batch_alter_table("desk_forms", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_forms_at")

    op.drop_table("desk_forms")
    op.drop_table("checkups")
    with op.batch_alter_table("catalogue_variants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_catalogue_variants_shop_id_version"))
        batch_op.drop_index(batch_op.f("ix_catalogue_variants_shop_id_sku"))
        batch_op.drop_index(batch_op.f("ix_catalogue_variants_shop_id_product_id"))

    op.drop_table("catalogue_variants")
    op.drop_table("catalogue_to_read")
    op.drop_table("catalogue_state")
    with op.batch_alter_table("buying_waits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_buying_waits_shop_id_subject_since"))

    op.drop_table("buying_waits")
    op.drop_table("buying_gates")
    with op.batch_alter_table("alerts_told", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alerts_told_at"))

    op.drop_table("alerts_told")
    with op.batch_alter_table("alert_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_messages_state_due_at"))

    op.drop_table("alert_messages")
