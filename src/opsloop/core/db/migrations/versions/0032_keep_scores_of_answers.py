"""Keep scores of answers in production."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "live_scores",
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("evaluator", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("is_good", sa.Boolean(), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scored_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "request_id", "measure", "evaluator", name=op.f("pk_live_scores")),
    )


def downgrade() -> None:
    op.drop_table("live_scores")
