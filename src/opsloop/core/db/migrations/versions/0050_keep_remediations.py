"""Keep remediations, who said yes or no to them, and when they were halted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0048"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "remediations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("incident", sa.String(), nullable=True),
        sa.Column("playbook", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("why_level", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("is_rehearsal", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Text(), nullable=True),
        sa.Column("busy", sa.Text(), nullable=True),
        sa.Column("because", JSON, nullable=False),
        sa.Column("against", JSON, nullable=False),
        sa.Column("questions", JSON, nullable=False),
        sa.Column("checklist", JSON, nullable=False),
        sa.Column("commands", JSON, nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("preview", JSON, nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("acted_at", INSTANT, nullable=True),
        sa.Column("acted", sa.Text(), nullable=False),
        sa.Column("by_itself", sa.Boolean(), nullable=False),
        sa.Column("undo", JSON, nullable=True),
        sa.Column("undo_works", sa.Boolean(), nullable=True),
        sa.Column("findings", JSON, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remediations")),
        sa.UniqueConstraint("active", name=op.f("uq_remediations_active")),
        sa.UniqueConstraint("busy", name=op.f("uq_remediations_busy")),
    )
    for column in ("incident", "state", "asked_at"):
        op.create_index(op.f(f"ix_remediations_{column}"), "remediations", [column])
    op.create_index("ix_remediations_environment_playbook", "remediations", ["environment", "playbook"])
    op.create_table(
        "remediation_votes",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("remediation", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("is_yes", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_remediation_votes")),
    )
    op.create_index(op.f("ix_remediation_votes_remediation"), "remediation_votes", ["remediation"])
    op.create_table(
        "remediation_halts",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("active", sa.Integer(), nullable=True),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("began_by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_remediation_halts")),
        sa.UniqueConstraint("active", name=op.f("uq_remediation_halts_active")),
    )


def downgrade() -> None:
    for table in ("remediation_halts", "remediation_votes", "remediations"):
        op.drop_table(table)
