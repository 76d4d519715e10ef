"""Name the store of a collection."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rag_collections", schema=None) as batch_op:
        batch_op.add_column(sa.Column("store", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("store_holds", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("rag_collections", schema=None) as batch_op:
        batch_op.drop_column("store_holds")
        batch_op.drop_column("store")
