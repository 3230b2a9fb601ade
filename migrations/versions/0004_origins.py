"""where a connector sends requests: what a person has agreed to"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "connections",
        sa.Column(
            "origins",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="where its requests went when somebody last signed in; null: before that was kept",
        ),
        schema="meta",
    )


def downgrade() -> None:
    op.drop_column("connections", "origins", schema="meta")
