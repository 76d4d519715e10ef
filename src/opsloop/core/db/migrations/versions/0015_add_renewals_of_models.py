"""Add renewals of models."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "renewals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("active", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("alarms", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("policy", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("config", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("champion", sa.String(), nullable=True),
        sa.Column("challenger", sa.String(), nullable=True),
        sa.Column("training_run", sa.String(), nullable=True),
        sa.Column("champion_run", sa.String(), nullable=True),
        sa.Column("challenger_run", sa.String(), nullable=True),
        sa.Column("gate", sa.String(), nullable=True),
        sa.Column("release", sa.String(), nullable=True),
        sa.Column("rollout", sa.String(), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoints.name"], name=op.f("fk_renewals_endpoint_endpoints")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewals")),
        sa.UniqueConstraint("active", name=op.f("uq_renewals_active")),
    )
    with op.batch_alter_table("renewals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_renewals_challenger_run"), ["challenger_run"], unique=False)
        batch_op.create_index(batch_op.f("ix_renewals_champion_run"), ["champion_run"], unique=False)
        batch_op.create_index("ix_renewals_endpoint_started_at", ["endpoint", "started_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_renewals_rollout"), ["rollout"], unique=False)
        batch_op.create_index(batch_op.f("ix_renewals_training_run"), ["training_run"], unique=False)

    op.create_table(
        "renewal_events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("renewal", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["renewal"], ["renewals.id"], name=op.f("fk_renewal_events_renewal_renewals")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_renewal_events")),
    )
    with op.batch_alter_table("renewal_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_renewal_events_renewal"), ["renewal"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("renewal_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_renewal_events_renewal"))

    op.drop_table("renewal_events")
    with op.batch_alter_table("renewals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_renewals_training_run"))
        batch_op.drop_index(batch_op.f("ix_renewals_rollout"))
        batch_op.drop_index("ix_renewals_endpoint_started_at")
        batch_op.drop_index(batch_op.f("ix_renewals_champion_run"))
        batch_op.drop_index(batch_op.f("ix_renewals_challenger_run"))

    op.drop_table("renewals")
