"""exports that a source is preparing: what is needed to go on asking for them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="as the connector calls it"),
        sa.Column(
            "ordered_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=False,
            comment="when the source was asked for it",
        ),
        sa.Column("request_hash", sa.Text(), nullable=False, comment="of the request that ordered it"),
        sa.Column("kept", postgresql.JSONB(), nullable=False, comment="what the source said that later requests need"),
        sa.Column(
            "bookmark", postgresql.JSONB(), nullable=True, comment="what it was asked to begin after; null: everything"
        ),
        sa.ForeignKeyConstraint(["account"], ["meta.connections.id"], name="exports_account_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", "name", name="exports_pkey"),
        schema="meta",
        comment="Exports that are under way, or not yet stored to their end.",
    )


def downgrade() -> None:
    op.drop_table("exports", schema="meta")
