"""People: accounts of one person by decision, and what the views make of the sources of one person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from psycopg.rows import dict_row
from store_made import AT, ask

from hde.canonical import TABLES
from hde.store import canonical, journal, people
from hde.store.canonical import Lineage
from hde.store.database import Connection, transaction

DAY = date(2026, 1, 2)
NIGHT = datetime(2026, 1, 1, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def accounts(connection: Connection) -> list[int]:
    """Four of four sources."""
    made = [journal.connect_account(connection, f"source{n}", f"a{n}", {}).id for n in range(4)]
    connection.commit()
    return made


def put(connection: Connection, account: int, table: str, *rows: dict[str, object]) -> None:
    columns = [column.name for column in TABLES[table].columns]
    records = {f"{n}": {"": tuple(row.get(name) for name in columns)} for n, row in enumerate(rows)}
    with transaction(connection) as cursor:
        of = Lineage(account, f"made/{table}", "0123456789abcdef", f"source of {account}", "made_raw.t", 1, AT)
        canonical.write(cursor, table, of, records)


def rows(connection: Connection, view: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(f"SELECT * FROM canonical.{view} ORDER BY person").fetchall()
    connection.commit()
    return found


def together(connection: Connection) -> list[list[int]]:
    found = [[one.account.id for one in those] for those in people.people(connection)]
    connection.commit()
    return found


def test_everybody_is_a_person_until_somebody_says_otherwise(connection: Connection, accounts: list[int]) -> None:
    one, two, three, four = accounts
    assert together(connection) == [[one], [two], [three], [four]]
    assert people.link(connection, [three, two]) == two
    assert together(connection) == [[one], [two, three], [four]]
    assert people.link(connection, [four, three]) == two  # with whoever they were one person with already
    assert together(connection) == [[one], [two, three, four]]
    linked = ask(connection, "SELECT account FROM canonical.person_accounts WHERE linked_at IS NOT NULL ORDER BY 1")
    assert linked == [two, three, four]


@pytest.mark.parametrize("who", [0, 1, 2])
def test_who_is_unlinked_is_alone_and_the_others_stay_together(
    connection: Connection, accounts: list[int], who: int
) -> None:
    group = accounts[:3]
    people.link(connection, group)
    alone = group.pop(who)
    people.unlink(connection, alone)
    assert sorted(map(sorted, together(connection))) == sorted([[alone], group, [accounts[3]]])
    people.unlink(connection, group[0])
    assert sorted(map(sorted, together(connection))) == [[one] for one in accounts]
    assert ask(connection, "SELECT count(*) FROM canonical.person_accounts WHERE person = account") == [4]


def test_an_account_that_is_forgotten_leaves_the_others_together(connection: Connection, accounts: list[int]) -> None:
    one, two, three, _ = accounts
    people.link(connection, [one, two, three])
    connection.execute("DELETE FROM meta.connections WHERE id = %s", (one,))
    connection.commit()
    assert [two, three] in together(connection)
    people.unlink(connection, two)
    assert [two] in together(connection)
    assert [three] in together(connection)


def test_what_the_sources_say_is_shown_and_where_they_differ(connection: Connection, accounts: list[int]) -> None:
    one, two, three, _ = accounts
    put(
        connection,
        one,
        "user_identity",
        {"given_name": "Ann", "family_name": "Lee", "birth_date": date(1980, 1, 2), "sex": "F"},
    )
    put(connection, two, "user_identity", {"family_name": "Lee", "birth_date": date(1980, 1, 2), "sex": "f"})
    put(connection, three, "user_identity", {"given_name": "An", "birth_date": date(1980, 2, 1)})
    said = {one.account.id: one for those in people.people(connection) for one in those}
    assert [said[account].names for account in accounts] == [("Ann Lee",), ("Lee",), ("An",), ()]
    assert people.differences([said[one], said[two]]) == []
    assert people.differences(said.values()) == ["their birth dates differ: 1980-01-02, 1980-02-01"]
    connection.commit()
    people.link(connection, [one, three])
    view = {row["account"]: row for row in rows(connection, "people")}
    assert [view[account]["person"] for account in accounts] == [one, two, one, accounts[3]]
    assert (view[one]["family_name"], view[three]["given_name"], view[accounts[3]]["family_name"]) == (
        "Lee",
        "An",
        None,
    )


def sleep(asleep: float, **more: object) -> dict[str, object]:
    said = {"start_time": NIGHT, "end_time": NIGHT + 8 * HOUR, "local_date": DAY, "asleep": asleep * 3600}
    return {**said, "is_nap": False, "state": "final", **more}


def vital(metric: str, value: float, hours: float = 0, **more: object) -> dict[str, object]:
    said = {"metric": metric, "value": value, "start_time": NIGHT + hours * HOUR, "local_date": DAY, "state": "final"}
    return {**said, **more}


def test_of_two_sources_one_counts_and_never_their_sum(connection: Connection, accounts: list[int]) -> None:
    ring, band = accounts[:2]
    put(connection, ring, "sleep_sessions", sleep(7, deep=3600.0, efficiency=80.0), sleep(0.5, is_nap=True))
    put(
        connection, band, "sleep_sessions", sleep(4, deep=9000.0), sleep(3.5, efficiency=90.0), sleep(0.25, is_nap=True)
    )
    put(
        connection,
        ring,
        "biometrics_vitals",
        vital("resting_heart_rate", 50),
        vital("hrv_rmssd", 40, hours=1),
        vital("steps", 8000, context="day"),
        vital("heart_rate_max", 150, context="day"),
    )
    put(
        connection,
        band,
        "biometrics_vitals",
        vital("resting_heart_rate", 54),
        vital("resting_heart_rate", 56, hours=2),
        vital("hrv_rmssd", 60),
        vital("steps", 6000, context="day"),
        vital("steps", 4000, hours=1, context="day"),
        vital("spo2", 97),
    )
    hour = {"start_time": NIGHT, "end_time": NIGHT + HOUR, "local_date": DAY}
    put(connection, ring, "workouts", {**hour, "distance": 10_000.0})
    put(connection, band, "workouts", hour, {**hour, "state": "pending"})
    assert len(rows(connection, "daily_summary")) == 2
    people.link(connection, [ring, band])
    (row,) = rows(connection, "daily_summary")
    told = "asleep_h deep_h efficiency_pct naps_h resting_heart_rate hrv_rmssd_ms spo2_pct steps heart_rate_max"
    assert [row[name] for name in told.split()] == [7.5, 2.5, 90, 0.5, 55, 40, 97, 10_000, 150]
    assert (row["person"], row["local_date"]) == (ring, DAY)
    assert [row[name] for name in ("workouts", "training_min", "distance_km", "state")] == [2, 120, None, "pending"]


def test_the_choice_does_not_depend_on_the_order_of_arrival(connection: Connection, accounts: list[int]) -> None:
    ring, band = accounts[:2]
    for one in (band, ring):  # alike in everything
        put(connection, one, "sleep_sessions", sleep(7, deep=float(one)))
        put(connection, one, "biometrics_vitals", vital("spo2", 90.0 + one % 7))
    people.link(connection, [ring, band])
    (row,) = rows(connection, "daily_summary")
    assert row["spo2_pct"] == 90 + ring % 7


def lab(value: float | None, day: int, **more: object) -> dict[str, object]:
    at = datetime(2026, 1, day, 8, tzinfo=UTC)
    said = {
        "analyte": "glucose",
        "code": "2345-7",
        "code_system": "http://loinc.org",
        "name": "Glucose",
        "unit": "mg/dL",
    }
    return {**said, "value": value, "value_kind": "quantity", "start_time": at, "local_date": at.date(), **more}


def test_the_newest_result_of_every_source_and_the_one_before_it(connection: Connection, accounts: list[int]) -> None:
    hospital, laboratory = accounts[:2]
    put(connection, hospital, "lab_results", lab(90, 1), lab(99, 3, interpretation="H", ref_high=95.0), lab(85, 2))
    put(connection, laboratory, "lab_results", lab(101, 4))
    assert [(row["value"], row["before_value"]) for row in rows(connection, "labs_latest")] == [(99, 85), (101, None)]
    people.link(connection, [hospital, laboratory])
    (row,) = rows(connection, "labs_latest")
    assert (row["person"], row["analyte"], row["value"], row["unit"]) == (hospital, "glucose", 101, "mg/dL")
    assert (row["before_value"], row["before_interpretation"], row["before_date"]) == (99, "H", date(2026, 1, 3))
    assert (row["change"], row["results"], row["account"]) == (2, 4, laboratory)
    assert row["source"] == f"source of {laboratory}"
    assert row["before_source"] == f"source of {hospital}"


def test_a_result_knows_the_panel_of_the_report_that_names_it(connection: Connection, accounts: list[int]) -> None:
    hospital, laboratory = accounts[:2]
    put(connection, hospital, "lab_results", lab(90.1, 1), lab(90.3, 2))
    put(connection, hospital, "lab_panels", {"name": "CMP", "result": "1"}, {"name": "Lipids", "result": "other"})
    put(connection, laboratory, "lab_results", lab(5, 1, panel="On paper"))
    found = rows(connection, "labs_latest")
    assert [(row["panel"], row["change"]) for row in found] == [("CMP", 0.2), ("On paper", None)]


LABS = {
    "one result that two sources give is one": (
        [lab(90, 1), lab(99, 3)],
        [lab(99, 3, start_time=None, ref_text="70-95")],
        [("Glucose", 99, 90, 2)],
    ),
    "two results of a day are two": (
        [lab(90, 1), lab(99, 1, start_time=NIGHT + 12 * HOUR)],
        [],
        [("Glucose", 99, 90, 2)],
    ),
    "what was cancelled or has no value is none": (
        [lab(90, 1), lab(99, 3, status="cancelled"), lab(None, 4, value_kind="absent"), lab(None, 5, value_kind=None)],
        [],
        [("Glucose", 90, None, 1)],
    ),
    "another code is another analyte, in the same words or not": (
        [lab(90, 1, analyte=None), lab(99, 3, analyte=None, name="GLUC"), lab(5, 2, analyte=None, code="1-8")],
        [],
        [("GLUC", 99, 90, 2), ("Glucose", 5, None, 1)],
    ),
    "without any code the words tell": (
        [lab(1, 1, analyte=None, code=None, name="Foo"), lab(2, 2, analyte=None, code=None, name="FOO")],
        [],
        [("FOO", 2, 1, 2)],
    ),
    "a day without an hour counts": (
        [lab(90, 1), lab(99, 3, start_time=None)],
        [],
        [("Glucose", 99, 90, 2)],
    ),
}


@pytest.mark.parametrize("case", LABS)
def test_what_counts_as_a_result(connection: Connection, accounts: list[int], case: str) -> None:
    one, other, expected = LABS[case]
    for account, results in ((accounts[0], one), (accounts[1], other)):
        put(connection, account, "lab_results", *results)
    people.link(connection, accounts[:2])
    found = [
        (row["name"], row["value"], row["before_value"], row["results"]) for row in rows(connection, "labs_latest")
    ]
    assert sorted(found) == sorted(expected)


def test_a_change_is_only_told_of_values_that_compare(connection: Connection, accounts: list[int]) -> None:
    put(connection, accounts[0], "lab_results", lab(90, 1), lab(5, 2, unit="mmol/L"))
    put(connection, accounts[1], "lab_results", lab(90, 1, comparator="<"), lab(95, 2))
    put(connection, accounts[2], "lab_results", lab(None, 1, value_kind="text", value_text="NEGATIVE"))
    found = [(row["value"], row["change"], row["value_text"]) for row in rows(connection, "labs_latest")]
    assert found == [(5, None, None), (95, None, None), (None, None, "NEGATIVE")]


@pytest.mark.parametrize("view", ["people", "daily_summary", "labs_latest"])
def test_the_views_ask_with_the_rights_of_their_reader(connection: Connection, view: str) -> None:
    options = f"SELECT reloptions FROM pg_class WHERE oid = 'canonical.{view}'::regclass"
    assert ask(connection, options) == [["security_invoker=true"]]
