"""Watch metrics for anomalies."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "anomaly_watches",
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("read_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_anomaly_watches")),
    )
    op.create_index(op.f("ix_anomaly_watches_read_us"), "anomaly_watches", ["read_us"])
    op.create_table(
        "metric_anomalies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("usual", sa.Double(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_anomalies")),
    )
    op.create_index(op.f("ix_metric_anomalies_at_us"), "metric_anomalies", ["at_us"])
    op.create_index("ix_metric_anomalies_subject_at_us", "metric_anomalies", ["subject", "at_us"])


def downgrade() -> None:
    op.drop_table("metric_anomalies")
    op.drop_table("anomaly_watches")
