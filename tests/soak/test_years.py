"""A thousand daily runs: what they leave in the database, in the home and on the disk. HDE_SOAK_RUNS says how many."""

from __future__ import annotations

import os

import pytest
from faults_made import member, three_days_ago
from test_hygiene import DAYS, Left, run_for, troubles

RUNS = int(os.environ.get("HDE_SOAK_RUNS", "1000"))


def test_years_of_daily_runs(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    with member(monkeypatch, troubles(), days=DAYS, now=three_days_ago()) as sandbox:
        run_for(sandbox, database_url, RUNS // 4, 1)
        quarter = Left.now(database_url)
        run_for(sandbox, database_url, RUNS - RUNS // 4, 1)
        left = Left.now(database_url)
    with capsys.disabled():
        print()
        for name, size in left.bytes.items():
            print(f"{name:<45} {quarter.bytes.get(name, 0) // 1024:>7} kB  {size // 1024:>7} kB")
        print(quarter.rows, left.rows, left.files, sep="\n")
    # Twice: autovacuum comes when it does.
    grown = [name for name, size in left.bytes.items() if size > 2 * quarter.bytes[name]]
    assert [name for name in grown if not name.endswith("_history")] == [], "what changed is kept, and nothing else"
    assert left.files == quarter.files
