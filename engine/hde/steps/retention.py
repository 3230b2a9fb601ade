"""`keep:` of a connector: what arrived longer ago goes, from raw, canonical and history.

Before anything is fetched, so that what a run reads anyway (a profile, the last days) is there again when it ends. The
records move to history as vanished ones do, mapping takes their canonical rows along, and then history lets go of them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from hde.steps.stage import Stage
from hde.store import retention
from hde.store.database import transaction
from hde.store.merge import lock_account


def expire(stage: Stage) -> None:
    """Out of the raw tables; told in the report. To be followed by mapping."""
    if stage.source.connector.keep is None:
        return
    before = datetime.now(UTC) - stage.source.connector.keep
    for name, table in stage.tables.items():
        with transaction(stage.connection) as cursor:
            lock_account(cursor, table.schema, stage.account.id)
            count = retention.expire(cursor, table, stage.account.id, before, stage.run)
        if count:
            stage.report.note(f"{name}: {count:,} records older than `keep` are removed")


def drop_former(stage: Stage) -> None:
    """Out of the history, as far as mapping has seen that they are gone."""
    if stage.source.connector.keep is None:
        return
    before = datetime.now(UTC) - stage.source.connector.keep
    for name, table in stage.tables.items():
        with transaction(stage.connection) as cursor:
            count = retention.drop_former(cursor, table, stage.account.id, before)
        if count:
            stage.report.note(f"{name}: {count:,} former versions older than `keep` are removed")
