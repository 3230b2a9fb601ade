"""Canonical rows: a record's rows are replaced as a set, equal ones are not touched, and a dry run counts alike."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pytest
from store_made import AT, ask

from hde.canonical import TABLES
from hde.store import canonical
from hde.store.canonical import Lineage, Values, Written
from hde.store.database import Connection, transaction

STARTS = datetime(2026, 1, 1, 22, tzinfo=UTC)
Records = dict[str, dict[str, Values]]


def lineage(account: int, mapping: str = "made/things", run: int = 1) -> Lineage:
    return Lineage(account, mapping, "0123456789abcdef", "made", "made_raw.things", run, AT)


CODE = {"of_table": "conditions", "of_part": "", "role": "code", "rank": 0, "chosen": True}


def values(table: str, **given: object) -> Values:
    known = {"start_time": STARTS, "metric": "weight", "value": 1.0, **CODE} | given
    return tuple(known.get(column.name) for column in TABLES[table].columns)


def vital(value: float, **given: object) -> Values:
    return values("biometrics_vitals", value=value, **given)


def write(connection: Connection, account: int, records: Records, run: int = 1, **options: Any) -> Written:
    """Write, and hold the result against what a dry run said before."""
    with transaction(connection) as cursor:
        of = lineage(account, run=run, **options)
        said = canonical.compare(cursor, "biometrics_vitals", of, records)
        done = canonical.write(cursor, "biometrics_vitals", of, records)
        assert dataclasses.replace(said, columns={}) == done
        then = canonical.compare(cursor, "biometrics_vitals", of, records)
        assert (then.new, then.changed, then.removed) == (0, 0, 0)
        return said


def stored(connection: Connection) -> list[Any]:
    sql = "SELECT raw_source_id, part, value, run_id FROM canonical.biometrics_vitals ORDER BY account, mapping, 1, 2"
    return ask(connection, sql)


def test_rows_of_a_record_are_replaced_as_a_set(connection: Connection, account: int) -> None:
    first = write(connection, account, {"a": {"x": vital(1), "y": vital(2)}, "b": {"": vital(3)}})
    assert first == Written(3, 0, 0, 0)
    again = write(connection, account, {"a": {"y": vital(20), "z": vital(4)}, "b": {"": vital(3)}, "c": {}}, 2)
    assert again == Written(1, 1, 1, 1, {"value": 1})
    assert stored(connection) == [("a", "y", 20, 2), ("a", "z", 4, 2), ("b", "", 3, 1)]


def test_a_record_without_rows_loses_those_it_had(connection: Connection, account: int) -> None:
    write(connection, account, {"a": {"x": vital(1), "y": vital(2)}, "b": {"": vital(3)}})
    assert write(connection, account, {"a": {}}) == Written(0, 0, 2, 0)
    assert stored(connection) == [("b", "", 3, 1)]
    assert write(connection, account, {}) == Written()


def test_unchanged_rows_are_not_rewritten(connection: Connection, account: int) -> None:
    records: Records = {f"r{number}": {"": vital(number)} for number in range(200)}
    write(connection, account, records)
    versions = "SELECT array_agg((raw_source_id, xmin, ctid, run_id)::text ORDER BY 1) FROM canonical.biometrics_vitals"
    before = ask(connection, versions)
    assert write(connection, account, records, 2) == Written(0, 0, 0, 200)
    assert ask(connection, versions) == before


def test_rows_of_other_mappings_and_accounts_are_not_touched(connection: Connection, account: int) -> None:
    records: Records = {"a": {"x": vital(1)}}
    assert write(connection, account, records).new == 1
    assert write(connection, account, records, mapping="made/other").new == 1
    assert write(connection, account + 1, records).new == 1
    assert write(connection, account, {"a": {}}).removed == 1
    assert len(stored(connection)) == 2
    with transaction(connection) as cursor:
        counted = canonical.count_mapping(cursor, "biometrics_vitals", account, "made/other")
        assert canonical.delete_mapping(cursor, "biometrics_vitals", account, "made/other") == counted == 1
        assert canonical.delete_mapping(cursor, "no such table", account, "made/other") == 0
        assert canonical.count_mapping(cursor, "no such table", account, "made/other") == 0
    assert len(stored(connection)) == 1


def test_a_dry_run_says_which_columns_would_change(connection: Connection, account: int) -> None:
    write(connection, account, {key: {"": vital(1, context="day", method="a")} for key in "abc"})
    said = write(
        connection,
        account,
        {"a": {"": vital(2, context=None, method="a")}, "b": {"": vital(1, context="sleep", method="a")}},
    )
    assert said == Written(0, 2, 0, 0, {"value": 1, "context": 2})
    total = Written()
    for _ in range(2):
        total.add(said)
    assert total == Written(0, 4, 0, 0, {"value": 2, "context": 4})


SAMPLES: dict[str, list[object]] = {
    "text": ["", "\\N", "a\tb\nc\r\\", "ü💤", "%s"],
    "offset": ["+02:00", "-03:30"],
    "int": [0, -1, 2**31 - 1],
    "float": [0.0, -0.1, 1e300, 5e-324, 0.1 + 0.2],
    "boolean": [True, False],
    "timestamptz": [STARTS, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)],
    "date": [date(2026, 1, 1), date(1, 1, 1), date(9999, 12, 31)],
}
SAMPLES |= dict.fromkeys(("coding", "reference", "verbatim"), SAMPLES["text"])
SAMPLES |= {"moment": SAMPLES["timestamptz"], "day": SAMPLES["date"]}


@pytest.mark.parametrize("name", TABLES)
def test_values_of_every_column_come_back(connection: Connection, account: int, name: str) -> None:
    table = TABLES[name]
    needed = values(name)
    records: Records = {"nulls": {"": needed}}
    for number in range(5):
        full = tuple(SAMPLES[column.type][number % len(SAMPLES[column.type])] for column in table.columns)
        records[f"full {number}\t\\"] = {f"part\n{number}": full}
    for spelling in (records, {key: dict.fromkeys(rows, needed) for key, rows in records.items()}, records):
        with transaction(connection) as cursor:
            canonical.write(cursor, name, lineage(account), spelling)
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        found = ask(connection, f"SELECT raw_source_id, part, {columns} FROM canonical.{name}")
        assert {row[0]: {row[1]: row[2:]} for row in found} == spelling


def test_every_row_says_where_it_comes_from(connection: Connection, account: int) -> None:
    with transaction(connection) as cursor:
        of = dataclasses.replace(lineage(account), mapping="it's/a\\map", raw_table="a\tb")
        canonical.write(cursor, "biometrics_vitals", of, {"a": {"": vital(1)}})
    columns = "mapping, source_system, raw_table, mapping_hash, run_id, mapped_at, length(_hash)"
    assert ask(connection, f"SELECT {columns} FROM canonical.biometrics_vitals") == [
        ("it's/a\\map", "made", "a\tb", "0123456789abcdef", 1, AT, 16)
    ]
