"""Keep diagnoses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0047"
down_revision = "0045"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "diagnoses",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("has_failed", sa.Boolean(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("commit", sa.String(), nullable=False),
        sa.Column("region", DOCUMENT, nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("root_cause", sa.Text(), nullable=False),
        sa.Column("incident", sa.String(), nullable=True),
        sa.Column("closed_as", sa.String(), nullable=True),
        sa.Column("turned_out", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diagnoses")),
    )
    op.create_index(op.f("ix_diagnoses_at"), "diagnoses", ["at"])
    op.create_index(op.f("ix_diagnoses_incident"), "diagnoses", ["incident"])
    op.create_index("ix_diagnoses_job_at", "diagnoses", ["job", "at"])


def downgrade() -> None:
    op.drop_table("diagnoses")
