"""Tell variant, study, aggregates, cut and cost of a run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("evaluation_runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("variant", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("study", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("aggregates", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True))
        batch_op.add_column(sa.Column("cut", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("warnings", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True))
        batch_op.add_column(sa.Column("cost_usd", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("prompt_tokens", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("completion_tokens", sa.BigInteger(), nullable=True))
        batch_op.create_index(batch_op.f("ix_evaluation_runs_study"), ["study"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("evaluation_runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evaluation_runs_study"))
        batch_op.drop_column("completion_tokens")
        batch_op.drop_column("prompt_tokens")
        batch_op.drop_column("cost_usd")
        batch_op.drop_column("warnings")
        batch_op.drop_column("cut")
        batch_op.drop_column("aggregates")
        batch_op.drop_column("study")
        batch_op.drop_column("variant")
