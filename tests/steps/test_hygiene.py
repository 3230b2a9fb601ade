"""Runs that are repeated for years leave no trace beyond the data: ledger, issues, budgets, files, and dead rows.

`tests/soak` has the same for a thousand runs, and prints what they leave.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from faults_made import API, member, three_days_ago
from run_made import ask, call, do

from hde.sandbox import whoop
from hde.sandbox.faults import Faults, Rule, answers, records
from hde.store.budgets import SLOTS

DAYS = 20
KEPT = 90
"""Days for which the ledger is."""
STATE = ("streams", "consumers", "owed_records", "connections", "tokens")


@dataclass(frozen=True)
class Left:
    """Rows of the ledger, bytes of every table with its indexes, and files of the home (the database's own aside)."""

    rows: dict[str, int]
    bytes: dict[str, int]
    files: dict[str, int]

    @classmethod
    def now(cls, url: str) -> Left:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM")  # what autovacuum does within the minutes between two runs
        sizes = ask(
            url,
            "SELECT schemaname || '.' || relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
            " WHERE schemaname IN ('meta', 'canonical', 'whoop_raw') ORDER BY 1",
        )
        home = Path(os.environ["HDE_HOME"])
        files = {str(file.relative_to(home)): file.stat().st_size for file in home.rglob("*") if file.is_file()}
        return cls(
            {
                name: ask(url, f"SELECT count(*) FROM meta.{name}")[0]
                for name in ("windows", "runs", "issues", "budgets", *STATE)
            },
            dict(sizes),
            files,
        )


def run_for(sandbox: whoop.Sandbox, url: str, times: int, every: int) -> None:
    """So many runs, each `every` days after the former; some of their requests fail, and one record has an issue."""
    for _ in range(times):
        assert call("run", "whoop").code in (0, 1)
        grow_older(url, every)


def grow_older(url: str, days: int) -> None:
    """All that the ledger knows, as if it were of so many days ago."""
    columns = ask(
        url,
        "SELECT table_name::text, string_agg(format('%%1$I = %%1$I - interval ''%%2$s days''', column_name, %s), ', ')"
        " FROM information_schema.columns WHERE table_schema = 'meta' AND table_name IN ('windows', 'runs', 'issues')"
        " AND data_type = 'timestamp with time zone' AND column_name NOT IN ('start_at', 'end_at') GROUP BY 1",
        days,
    )
    for table, shifted in columns:
        do(url, f"UPDATE meta.{table} SET {shifted}")


def troubles() -> Faults:
    """Requests that fail for good, and a record that is not as it should be, now and then."""
    return Faults(
        [Rule(answers.Status(400), on=API, chance=0.05), Rule(records.WrongTypes(), on=API, chance=0.1)], seed=7
    )


def test_repeated_runs_leave_nothing_but_the_data(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    every = KEPT // 4
    with member(monkeypatch, troubles(), days=DAYS, now=three_days_ago()) as sandbox:
        run_for(sandbox, database_url, 8, every)
        before = Left.now(database_url)
        run_for(sandbox, database_url, 12, every)
        after = Left.now(database_url)
    assert after.rows["runs"] <= before.rows["runs"] <= KEPT // every + 1
    assert after.rows["windows"] <= 1.5 * before.rows["windows"], "as many as 90 days take, however often some failed"
    assert after.rows["budgets"] <= 2 * (SLOTS + 2), "a minute's and a day's slots"
    assert [after.rows[name] for name in STATE] == [before.rows[name] for name in STATE]
    assert after.files == before.files
