"""Rewrite messages in Slack that asked for a yes, and show nobody what is secret in a notice."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "remediation_messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("remediation", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("is_webhook", sa.Boolean(), nullable=False),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("shown_by", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remediation_messages")),
        sa.UniqueConstraint("digest", "channel", name=op.f("uq_remediation_messages_digest_channel")),
    )
    op.create_index(op.f("ix_remediation_messages_remediation"), "remediation_messages", ["remediation"])
    op.create_index(op.f("ix_remediation_messages_is_over"), "remediation_messages", ["is_over"])
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hidden", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_column("hidden")
    op.drop_table("remediation_messages")
