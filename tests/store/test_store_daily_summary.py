"""canonical.daily_summary: one row per person and local date, whatever the sources."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from store_made import AT, ask

from hde.canonical import TABLES
from hde.store import canonical, journal
from hde.store.canonical import Lineage
from hde.store.database import Connection, Database, transaction

DATE = date(2026, 1, 2)
NIGHT = datetime(2026, 1, 1, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


def put(connection: Connection, account: int, table: str, *rows: dict[str, object]) -> None:
    columns = [column.name for column in TABLES[table].columns]
    records = {
        f"{table}{number}": {"": tuple(({"local_date": DATE, "start_time": NIGHT} | row).get(name) for name in columns)}
        for number, row in enumerate(rows)
    }
    with transaction(connection) as cursor:
        of = Lineage(account, f"made/{table}", "0123456789abcdef", "made", "made_raw.t", 1, AT)
        canonical.write(cursor, table, of, records)


def vital(metric: str, value: float, **more: object) -> dict[str, object]:
    return {"metric": metric, "value": value, "state": "final"} | more


def summary(connection: Connection) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SELECT * FROM canonical.daily_summary ORDER BY person, local_date")
        found = cursor.fetchall()
    connection.commit()
    return found


def of(row: dict[str, Any], *names: str) -> list[Any]:
    return [row[name] for name in names]


NIGHT_SLEEP = {"end_time": NIGHT + 8 * HOUR, "is_nap": False, "in_bed": 28800.0, "asleep": 27000.0, "deep": 5400.0,
               "rem": 7200.0, "need": 28800.0, "efficiency": 93.75, "performance": 90.0, "state": "final"}  # fmt: skip


def test_a_day_of_one_account_is_one_row(connection: Connection, account: int) -> None:
    put(connection, account, "sleep_sessions", NIGHT_SLEEP)
    put(
        connection,
        account,
        "biometrics_vitals",
        vital("recovery", 66.0),
        vital("hrv_rmssd", 41.26),
        vital("respiratory_rate", 15.0, context="sleep"),
        vital("respiratory_rate", 99.0, context="workout"),
        vital("strain", 12.34),
        vital("energy", 2000.4, context="day"),
        vital("energy", 400.0, context="workout"),
        vital("steps", 9000.0, context="day"),
        vital("heart_rate_max", 171.0, context="day"),
    )
    put(
        connection,
        account,
        "workouts",
        {"end_time": NIGHT + HOUR, "distance": 5000.0, "state": "final"},
        {"end_time": NIGHT + HOUR / 2, "distance": 1234.0, "state": "final"},
    )
    (row,) = summary(connection)
    assert of(row, "person", "local_date", "state") == [account, DATE, "final"]
    assert of(row, "asleep_from", "awake_at") == [NIGHT, NIGHT + 8 * HOUR]
    assert of(row, "in_bed_h", "asleep_h", "deep_h", "rem_h", "need_h", "naps_h") == [8, 7.5, 1.5, 2, 8, None]
    assert of(row, "recovery_pct", "hrv_rmssd_ms", "respiratory_rate", "strain") == [
        66, Decimal("41.3"), 15, Decimal("12.3"),
    ]  # fmt: skip
    assert of(row, "energy_kcal", "steps", "heart_rate_max", "spo2_pct") == [2000, 9000, 171, None]
    assert of(row, "workouts", "training_min", "distance_km") == [2, 90, Decimal("6.23")]


def test_naps_are_counted_apart(connection: Connection, account: int) -> None:
    nap = {"start_time": NIGHT + 14 * HOUR, "end_time": NIGHT + 15 * HOUR, "is_nap": True, "asleep": 1800.0}
    put(connection, account, "sleep_sessions", NIGHT_SLEEP, nap)
    (row,) = summary(connection)
    assert of(row, "asleep_h", "naps_h", "awake_at") == [7.5, 0.5, NIGHT + 8 * HOUR]


def test_only_a_nap_is_no_night(connection: Connection, account: int) -> None:
    put(connection, account, "sleep_sessions", {"is_nap": True, "asleep": 1800.0})
    (row,) = summary(connection)
    assert of(row, "asleep_from", "asleep_h", "naps_h", "workouts", "state") == [None, None, 0.5, 0, "final"]


@pytest.mark.parametrize("table", ["sleep_sessions", "biometrics_vitals", "workouts"])
def test_whatever_is_pending_makes_the_day_pending(connection: Connection, account: int, table: str) -> None:
    for name in ("sleep_sessions", "biometrics_vitals", "workouts"):
        state = "pending" if name == table else "final"
        put(connection, account, name, vital("strain", 1.0) | {"state": state})
    (row,) = summary(connection)
    assert row["state"] == "pending"


def test_two_accounts_of_one_person_are_one_row_and_do_not_add_up(connection: Connection, account: int) -> None:
    other = journal.connect_account(connection, "other", "someone", {}).id
    connection.commit()
    for one, asleep, steps in ((account, 25200.0, 8000.0), (other, 27000.0, 9000.0)):
        put(connection, one, "sleep_sessions", {**NIGHT_SLEEP, "asleep": asleep})
        put(connection, one, "biometrics_vitals", vital("steps", steps, context="day"))
        put(connection, one, "workouts", {"end_time": NIGHT + HOUR})
    assert [row["person"] for row in summary(connection)] == [account, other]
    connection.execute("UPDATE canonical.person_accounts SET person = %s", (account,))
    (row,) = summary(connection)
    assert of(row, "person", "asleep_h", "steps", "workouts") == [account, 7.5, 9000, 1]


def test_days_are_apart_and_rows_without_a_day_are_left_out(connection: Connection, account: int) -> None:
    put(
        connection,
        account,
        "biometrics_vitals",
        vital("strain", 1.0),
        vital("strain", 2.0, local_date=DATE + timedelta(days=1)),
        vital("strain", 3.0, local_date=None),
    )
    assert [(row["local_date"], row["strain"]) for row in summary(connection)] == [
        (DATE, 1),
        (DATE + timedelta(days=1), 2),
    ]


def test_the_view_asks_with_the_rights_of_its_reader(database: Database, connection: Connection, account: int) -> None:
    put(connection, account, "sleep_sessions", NIGHT_SLEEP)
    options = "SELECT reloptions FROM pg_class WHERE oid = 'canonical.daily_summary'::regclass"
    assert ask(connection, options) == [["security_invoker=true"]]
    connection.execute("CREATE ROLE a_reader_of_the_view")
    connection.execute("GRANT USAGE ON SCHEMA canonical TO a_reader_of_the_view")
    connection.execute("GRANT SELECT ON canonical.daily_summary TO a_reader_of_the_view")
    connection.execute("SET ROLE a_reader_of_the_view")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM canonical.daily_summary")
    connection.rollback()
