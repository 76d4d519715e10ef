"""Add preparations and publications of datasets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_publications",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("replace", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=True),
        sa.Column("is_new", sa.Boolean(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_publications")),
    )
    with op.batch_alter_table("dataset_publications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dataset_publications_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_dataset_publications_dataset"), ["dataset"], unique=False)

    op.create_table(
        "preparation_runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("preparation", sa.String(), nullable=False),
        sa.Column("declared", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("sources", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("steps", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("versions", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("same_as", sa.String(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preparation_runs")),
    )
    with op.batch_alter_table("preparation_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_preparation_runs_job"), ["job"], unique=False)
        batch_op.create_index("ix_preparation_runs_preparation_created_at", ["preparation", "created_at"], unique=False)

    op.create_table(
        "preparations",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("declared", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_preparations")),
    )


def downgrade() -> None:
    op.drop_table("preparations")
    with op.batch_alter_table("preparation_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_preparation_runs_preparation_created_at")
        batch_op.drop_index(batch_op.f("ix_preparation_runs_job"))

    op.drop_table("preparation_runs")
    with op.batch_alter_table("dataset_publications", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dataset_publications_dataset"))
        batch_op.drop_index(batch_op.f("ix_dataset_publications_created_at"))

    op.drop_table("dataset_publications")
