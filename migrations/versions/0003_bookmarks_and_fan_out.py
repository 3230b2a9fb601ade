"""bookmarks, warnings of sources, records whose own request is owed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


STATUS = "connected, sign-in needed"


def upgrade() -> None:
    op.alter_column("connections", "status", comment=f"{STATUS}, disconnected", existing_comment=STATUS, schema="meta")
    op.add_column(
        "streams",
        sa.Column(
            "bookmark",
            postgresql.JSONB(),
            nullable=True,
            comment="what the source gave to ask for changes with, after a complete pass",
        ),
        schema="meta",
    )
    op.add_column(
        "windows",
        sa.Column(
            "warnings",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="the source's own words",
        ),
        schema="meta",
    )
    op.create_table(
        "owed_records",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False, comment="for_each or when_stored, and the resource"),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="_seq of the raw record whose request failed"),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column(
            "since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when it first failed",
        ),
        sa.ForeignKeyConstraint(
            ["account"], ["meta.connections.id"], name=op.f("owed_records_account_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account", "queue", "seq", name=op.f("owed_records_pkey")),
        schema="meta",
        comment="Records whose own request (a fan-out's, a receipt) failed: asked again by the next run, one by one.",
    )


def downgrade() -> None:
    op.drop_table("owed_records", schema="meta")
    op.drop_column("windows", "warnings", schema="meta")
    op.drop_column("streams", "bookmark", schema="meta")
    op.alter_column("connections", "status", comment=STATUS, existing_comment=f"{STATUS}, disconnected", schema="meta")
