"""Keep changeovers of collections to another embedder."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rag_changeovers",
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("embedder", sa.String(), nullable=False),
        sa.Column("space", sa.String(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection"],
            ["rag_collections.name"],
            name=op.f("fk_rag_changeovers_collection_rag_collections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection", name=op.f("pk_rag_changeovers")),
    )
    op.create_table(
        "rag_changeover_vectors",
        sa.Column(
            "window_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["window_seq"],
            ["rag_windows.seq"],
            name=op.f("fk_rag_changeover_vectors_window_seq_rag_windows"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("window_seq", name=op.f("pk_rag_changeover_vectors")),
    )
    with op.batch_alter_table("rag_changeover_vectors", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rag_changeover_vectors_collection"), ["collection"], unique=False)


def downgrade() -> None:
    op.drop_table("rag_changeover_vectors")
    op.drop_table("rag_changeovers")
