"""`hde person`: shown, asked, linked, taken back; and what other commands make of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from run_made import ask, call, do

from hde.sandbox import whoop
from hde.sandbox.whoop.member import USER_ID

OTHERS = """
INSERT INTO meta.connections (id, connector, external_id) VALUES (77, 'clinic', 'e.Xy-Z'), (78, 'lab', 'e.Xy-Z');
INSERT INTO canonical.person_accounts (account, person) VALUES (77, 77);
INSERT INTO canonical.user_identity (account, mapping, raw_source_id, given_name, family_name, birth_date,
    source_system, raw_table, mapping_hash, run_id, mapped_at, _hash)
VALUES (77, 'clinic/patients', 'p', 'Ann', 'Lee', '1980-01-02', 'clinic', 't', 'h', 1, now(), ''),
    (78, 'lab/patients', 'p', 'Ann', 'Leigh', '1980-02-01', 'lab', 't', 'h', 1, now(), '')
"""


@pytest.fixture
def connected(sandbox: whoop.Sandbox, folder: Path, database_url: str) -> str:
    assert call("run", "whoop").code == 0
    do(database_url, OTHERS)
    return database_url


def persons(url: str) -> dict[str, int]:
    found = ask(url, "SELECT c.connector || ':' || COALESCE(p.person, c.id) FROM meta.connections c"
                     " LEFT JOIN canonical.person_accounts p ON p.account = c.id")  # fmt: skip
    return {connector: int(person) for connector, person in (one.split(":") for one in found)}


def test_linked_by_a_decision_and_unlinked_again(connected: str) -> None:
    before = persons(connected)
    refused = call("person", "link", str(USER_ID), "clinic/e.Xy-Z", "lab/e.Xy-Z")
    assert refused.code == 2  # nobody is here to answer
    assert "Are these one person?" in refused.err
    assert "--yes" in refused.err
    assert "clinic/e.Xy-Z: Ann Lee, born 1980-01-02" in refused.err
    assert "warning: their birth dates differ: 1980-01-02, 1980-02-01" in refused.err
    assert persons(connected) == before
    done = call("person", "link", str(USER_ID), "clinic/e.Xy-Z", "lab/e.Xy-Z", "--yes")
    assert done.code == 0, done.said
    assert persons(connected) == {"whoop": before["whoop"], "clinic": before["whoop"], "lab": before["whoop"]}
    again = call("person", "link", "lab/e.Xy-Z", str(USER_ID), "--yes")
    assert (again.code, again.out) == (0, "They are one person already.\n")
    assert call("person", "unlink", "lab/e.Xy-Z").code == 0
    assert persons(connected) == {"whoop": before["whoop"], "clinic": before["whoop"], "lab": 78}
    assert "a person of its own already" in call("person", "unlink", "lab/e.Xy-Z").out


def test_the_list(connected: str) -> None:
    assert call("person", "link", str(USER_ID), "clinic/e.Xy-Z", "--yes").code == 0
    shown = call("person", "list")
    assert shown.code == 0
    assert shown.out.splitlines()[2] == "  clinic/e.Xy-Z: Ann Lee, born 1980-01-02"
    first, second = json.loads(call("person", "list", "--json").out)
    assert [one["account"] for one in first] == [f"whoop/{USER_ID}", "clinic/e.Xy-Z"]
    assert [(one["account"], one["names"], one["linked_at"]) for one in second] == [("lab/e.Xy-Z", ["Ann Leigh"], None)]


@pytest.mark.parametrize(
    ("accounts", "says"),
    [
        (("nobody", "clinic/e.Xy-Z"), "There is no account nobody. There are: clinic/e.Xy-Z, lab/e.Xy-Z"),
        (("e.Xy-Z", str(USER_ID)), "is an account of several sources: say clinic/e.Xy-Z or lab/e.Xy-Z"),
        (("lab/e.Xy-Z",), "two accounts or more"),
        (("lab/e.Xy-Z", "lab/e.Xy-Z"), "two accounts or more"),
    ],
)
def test_what_is_no_link_is_said(connected: str, accounts: tuple[str, ...], says: str) -> None:
    before = persons(connected)
    refused = call("person", "link", *accounts, "--yes")
    assert refused.code == 2
    assert says in refused.err
    assert persons(connected) == before


def test_the_decision_outlives_a_remap_and_goes_with_an_export(connected: str, tmp_path: Path) -> None:
    assert call("person", "link", str(USER_ID), "clinic/e.Xy-Z", "--yes").code == 0
    linked = persons(connected)
    assert call("remap", "whoop").code == 0
    assert call("run", "whoop", "--full").code == 0
    assert persons(connected) == linked
    assert call("export", "--to", str(tmp_path / "out")).code == 0
    lines = (tmp_path / "out" / "canonical.person_accounts.ndjson").read_text().splitlines()
    assert {line["account"]: line["person"] for line in map(json.loads, lines)}[77] == linked["whoop"]
    assert call("disconnect", "whoop", "--yes").code == 0
    assert persons(connected) == linked


def test_who_is_forgotten_is_nobody_any_more(connected: str) -> None:
    assert call("person", "link", str(USER_ID), "clinic/e.Xy-Z", "lab/e.Xy-Z", "--yes").code == 0
    assert call("forget", "--account", str(USER_ID), "--yes").code == 0
    found = persons(connected)
    assert set(found) == {"clinic", "lab"}
    assert found["clinic"] == found["lab"]
    assert str(USER_ID) not in call("person", "list").out
