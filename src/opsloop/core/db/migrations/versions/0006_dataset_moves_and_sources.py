"""When a dataset's name began to stand for which version."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_moves",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["datasets.name"], name=op.f("fk_dataset_moves_name_datasets")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_dataset_moves")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dataset_moves", schema=None) as batch_op:
        batch_op.create_index("ix_dataset_moves_name_at", ["name", "at"], unique=False)

    op.create_table(
        "dataset_sources",
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["version"], ["dataset_versions.id"], name=op.f("fk_dataset_sources_version_dataset_versions")
        ),
        sa.PrimaryKeyConstraint("version", "noun", "target", name=op.f("pk_dataset_sources")),
    )
    # Until now a version became the current one when it was made; one that became it again did so at an unknown time.
    op.execute(
        "INSERT INTO dataset_moves (name, version, at) "
        "SELECT name, version, created_at FROM dataset_versions ORDER BY name, version"
    )
    op.execute(
        "INSERT INTO dataset_moves (name, version, at) "
        "SELECT name, current, CURRENT_TIMESTAMP FROM datasets WHERE current <> versions"
    )


def downgrade() -> None:
    op.drop_table("dataset_sources")
    with op.batch_alter_table("dataset_moves", schema=None) as batch_op:
        batch_op.drop_index("ix_dataset_moves_name_at")

    op.drop_table("dataset_moves")
