"""Keep incidents, their signals and their timelines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0042"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("subjects", JSON, nullable=False),
        sa.Column("words", JSON, nullable=False),
        sa.Column("marks", JSON, nullable=False),
        sa.Column("signal_count", sa.Integer(), nullable=False),
        sa.Column("told_count", sa.BigInteger(), nullable=False),
        sa.Column("active_count", sa.Integer(), nullable=False),
        sa.Column("suspects", JSON, nullable=False),
        sa.Column("diagnosis", JSON, nullable=True),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("first_signal_at", INSTANT, nullable=False),
        sa.Column("last_signal_at", INSTANT, nullable=False),
        sa.Column("acknowledged_at", INSTANT, nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("mitigated_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_as", sa.String(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(op.f("ix_incidents_closed_at"), "incidents", ["closed_at"])
    op.create_index(op.f("ix_incidents_last_signal_at"), "incidents", ["last_signal_at"])
    op.create_index("ix_incidents_state_opened_at", "incidents", ["state", "opened_at"])
    op.create_table(
        "signals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("incident", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("subject", JSON, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("active", sa.String(), nullable=True),
        sa.Column("numbers", JSON, nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("flaps", sa.Integer(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
        sa.UniqueConstraint("active", name=op.f("uq_signals_active")),
    )
    op.create_index(op.f("ix_signals_fingerprint"), "signals", ["fingerprint"])
    op.create_index(op.f("ix_signals_incident"), "signals", ["incident"])
    op.create_index(op.f("ix_signals_seen_at"), "signals", ["seen_at"])
    op.create_table(
        "incident_entries",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_incident_entries")),
    )
    op.create_index(op.f("ix_incident_entries_incident"), "incident_entries", ["incident"])
    op.create_table(
        "incident_detectors",
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("false_alarms", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("needs_times", sa.Integer(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_incident_detectors")),
    )


def downgrade() -> None:
    for table in ("incident_detectors", "incident_entries", "signals", "incidents"):
        op.drop_table(table)
