"""at which place of a vendor's directory an account is"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "connections",
        sa.Column(
            "tenant",
            postgresql.JSONB(),
            nullable=True,
            comment="the place of a directory it was signed in to, and the settings that lead there",
        ),
        schema="meta",
    )


def downgrade() -> None:
    op.drop_column("connections", "tenant", schema="meta")
