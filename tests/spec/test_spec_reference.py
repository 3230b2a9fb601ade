"""What the reference says about tables nobody declares is what the store makes."""

from __future__ import annotations

import re

import pytest

from hde.places import bundled
from hde.spec.reference import reference
from hde.spec.reference_tables import LINEAGE, OTHER_TABLES
from hde.store import models


def test_every_lineage_column_is_told() -> None:
    (made,) = (table for table in models.metadata.sorted_tables if table.fullname == "canonical.user_identity")
    own = set(
        re.findall(r"^\| \*?\*?`(\w+)`", reference().split("### `user_identity`")[1].split("###")[0], re.MULTILINE)
    )
    assert re.findall(r"^\| `(\w+)`", LINEAGE, re.MULTILINE) == [
        column.name for column in made.columns if column.name not in own
    ]


def test_every_table_of_meta_is_told() -> None:
    told = set(re.findall(r"^\| `([a-z_]+)`", OTHER_TABLES.split("`meta`")[1], re.MULTILINE))
    assert told == {table.name for table in models.metadata.sorted_tables if table.schema == "meta"}


@pytest.mark.parametrize(("view", "first"), [("daily_summary", ["person", "local_date"]), ("labs_latest", ["person"])])
def test_every_column_of_a_view_is_told(view: str, first: list[str]) -> None:
    (file,) = (bundled("migrations") / "versions").glob("*_people.py")
    made = (
        file.read_text(encoding="utf-8")
        .split(f"VIEW canonical.{view} ")[1]
        .split('"""')[0]
        .rpartition("SELECT person,")[2]
    )
    told = OTHER_TABLES.split(f"`canonical.{view}`")[1].split("Its columns: ")[1].split("\n\n")[0].split(". Of")[0]
    assert [name for name in re.findall(r"`(\w+)`", told) if name != "pending"] == [
        *first,
        *re.findall(r" AS (\w+)(?:,\n|(?=\nFROM))", made),
    ]


@pytest.mark.parametrize(
    "column", ["_account", "_observed_at", "payload", "_hash", "_received", "_seq", "_run_id", "_op"]
)
def test_what_every_raw_table_has_is_told(column: str) -> None:
    assert f"`{column}`" in reference().split("## Raw tables")[1]


KEYS = [
    ("`time`", "--daily-refresh"), ("`time`", "missing: delete"), ("`type`", "RFC 3339 with an offset only"),
    ("`from`", "`window.start` is null"), ("`offset`", "A time that carries an offset does as well"), 
    ("`plus`", "needs its unit"),
    ("`unit`", "miles"), ("`unknown`", "`expect` and `issues`"), ("`message`", "Without it they are not shown"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "said"), KEYS)
def test_what_an_author_stumbled_over_is_told_in_the_row_of_the_key(key: str, said: str) -> None:
    rows = [line for line in reference().splitlines() if line.startswith((f"| {key} ", f"| **{key}** "))]
    assert any(said in row for row in rows)
