"""`hde query`: any question is answered, none of them writes."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner
from store_made import ask

from hde.cli.query import query
from hde.errors import HdeError, WrongUse
from hde.store.database import Connection, Database
from hde.store.query import answer, as_csv


def in_csv(database: Database, sql: str) -> str:
    out = io.StringIO()
    as_csv(database, sql, out)
    return out.getvalue()


def test_answers_are_columns_and_rows(database: Database) -> None:
    assert answer(database, "SELECT 1 AS one, NULL AS none, '100%%s' AS text") == (
        ["one", "none", "text"],
        [(1, None, "100%%s")],
    )
    assert answer(database, "SELECT 1 WHERE false") == (["?column?"], [])
    assert answer(database, "SET application_name = 'x'") == ([], [])


@pytest.mark.parametrize(
    "sql", ["SELECT 1 AS a, 'x,\"y' AS b", " SELECT 1 AS a, 'x,\"y' AS b ;\n", "SELECT 1 AS a, 'x,\"y' AS b -- {so} %s"]
)
def test_csv_has_a_header_and_quotes_what_needs_it(database: Database, sql: str) -> None:
    assert list(csv.reader(io.StringIO(in_csv(database, sql)))) == [["a", "b"], ["1", 'x,"y']]


WRITING = [
    "DELETE FROM meta.connections",
    "WITH gone AS (DELETE FROM meta.connections RETURNING 1) SELECT * FROM gone",
    "DROP TABLE meta.connections",
    "COMMIT; DELETE FROM meta.connections",
    "ROLLBACK; DELETE FROM meta.connections; SELECT 1",
    "SET TRANSACTION READ WRITE; DELETE FROM meta.connections",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "DO $$ BEGIN SET TRANSACTION READ WRITE; DELETE FROM meta.connections; END $$",
    "DO $$ BEGIN COMMIT; DELETE FROM meta.connections; END $$",
    "SELECT nextval('meta.runs_id_seq')",
    "SELECT 1) TO STDOUT; COMMIT; DELETE FROM meta.connections; COPY (SELECT 1",
]


@pytest.mark.parametrize("sql", WRITING)
@pytest.mark.parametrize("form", ["answer", "csv"])
def test_no_question_writes(database: Database, connection: Connection, account: int, sql: str, form: str) -> None:
    with pytest.raises(HdeError):
        answer(database, sql) if form == "answer" else in_csv(database, sql)
    assert ask(connection, "SELECT count(*) FROM meta.connections") == [1]


def test_a_refusal_to_write_says_what_to_do(database: Database) -> None:
    with pytest.raises(WrongUse, match="hde query only reads"):
        answer(database, "DELETE FROM meta.connections")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELEC 1", 'PostgreSQL: syntax error at or near "SELEC"'),
        ("SELECT * FROM nosuch", 'PostgreSQL: relation "nosuch" does not exist'),
        ("SELECT nosuch FROM meta.runs", 'PostgreSQL: column "nosuch" does not exist'),
    ],
)
def test_wrong_sql_shows_what_postgresql_says(database: Database, sql: str, says: str) -> None:
    for form in (answer, in_csv):
        with pytest.raises(WrongUse) as refused:
            form(database, sql)
        assert str(refused.value) == says


def test_the_command_shows_tables_json_and_csv(database_url: str) -> None:
    sql = "SELECT 1.50 AS n, '2026-01-01T00:00:00Z'::timestamptz AS t, NULL AS nothing"
    shown = {form: CliRunner().invoke(query, [sql, "--format", form]) for form in ("table", "json", "csv")}
    assert [one.exception for one in shown.values()] == [None] * 3
    (row,) = json.loads(shown["json"].stdout)
    assert (float(row["n"]), row["t"][:10], row["nothing"]) == (1.5, "2026-01-01", None)
    assert shown["csv"].stdout.splitlines() == ["n,t,nothing", "1.50,2026-01-01 00:00:00+00,"]
    assert "1.50" in shown["table"].stdout
    assert "1 row" in shown["table"].stderr
