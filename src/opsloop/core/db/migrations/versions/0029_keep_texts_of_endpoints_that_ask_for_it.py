"""Keep texts of endpoints that ask for it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("endpoints", schema=None) as batch_op:
        batch_op.add_column(sa.Column("keep_texts", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True))
    op.create_table(
        "request_texts",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("earlier_turns", sa.Integer(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_request_texts")),
        sa.UniqueConstraint("key", name=op.f("uq_request_texts_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("request_texts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_texts_request_id"), ["request_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_request_texts_expires_us"), ["expires_us"], unique=False)
        batch_op.create_index("ix_request_texts_endpoint_started_us", ["endpoint", "started_us"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("request_texts", schema=None) as batch_op:
        batch_op.drop_index("ix_request_texts_endpoint_started_us")
        batch_op.drop_index(batch_op.f("ix_request_texts_expires_us"))
        batch_op.drop_index(batch_op.f("ix_request_texts_request_id"))
    op.drop_table("request_texts")
    with op.batch_alter_table("endpoints", schema=None) as batch_op:
        batch_op.drop_column("keep_texts")
