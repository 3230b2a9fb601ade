"""Whatever goes wrong on the way, a run that is repeated ends with the records of one that nothing disturbed; of bad
records exactly those are issues, and all others are as they would have been.

`tests/soak` has the same for hundreds of schedules.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from faults_made import everything, member, rows_by_key, run_until_done, schedule, three_days_ago, undisturbed_run
from run_made import ask, call

from hde.sandbox.faults import Faults, Rule
from hde.sandbox.faults import answers as way
from hde.sandbox.faults import records as bad
from hde.sandbox.faults.case import Fault

DAYS = 40
WORKOUTS = "*/activity/workout"
MAPPED = "whoop/workouts"
ISSUES = "SELECT origin, path, rule FROM meta.issues WHERE closed_at IS NULL AND level = 'error' GROUP BY 1, 2, 3"


@pytest.fixture(scope="module")
def when() -> datetime:
    return three_days_ago()


@pytest.fixture(scope="module")
def undisturbed(server: str, when: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with undisturbed_run(server, tmp_path_factory.mktemp("home"), days=DAYS, now=when) as url:
        yield url


@pytest.mark.parametrize("seed", range(12))
def test_whatever_fails_on_the_way_the_end_is_the_same(
    seed: int, when: datetime, undisturbed: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = schedule(seed)
    with member(monkeypatch, faults, days=DAYS, now=when) as sandbox:
        said = run_until_done(sandbox)
    assert len(faults.done) > 8
    assert everything(database_url) == everything(undisturbed), f"{faults.done}\n{said}"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (bad.MissingKeys(0.3, "score.strain"), set()),
        (bad.MissingKeys(0.3, "start"), {(MAPPED, "start", "required")}),
        (
            bad.WrongTypes(0.3, "score.strain"),
            {("raw", "score.strain", "float: type"), (MAPPED, "score.strain", "number")},
        ),
        (bad.Nul(0.3, "score_state"), {("raw", "", "NUL character"), (MAPPED, "score_state", "lookup")}),
        (bad.LongText(0.2, "end"), {("raw", "end", "timestamptz: form"), (MAPPED, "end", "time")}),
        (bad.VastNumbers(0.3, "sport_id"), {("raw", "sport_id", "int: range")}),
        (bad.FarYears(0.3, "start"), {(MAPPED, "start", "time")}),
        (bad.Nulls(0.3, "end"), set()),
    ],
    ids=lambda value: f"{value.name}-{value.field}" if hasattr(value, "field") else "",
)
def test_exactly_the_bad_records_are_issues_and_the_others_as_they_would_be(
    fault: Fault, expected: set[tuple[str, str, str]], when: datetime, undisturbed: str, database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    faults = Faults([Rule(fault, on=WORKOUTS)])
    with member(monkeypatch, faults, days=DAYS, now=when):
        found = call("run", "whoop")
    spoiled = {record["id"] for record in faults.memory.spoiled}
    assert len(spoiled) > 1
    assert "Traceback" not in found.said
    assert found.code == (1 if expected else 0)
    assert set(ask(database_url, ISSUES)) == expected
    assert set(ask(database_url, "SELECT record FROM meta.issues")) == (spoiled if expected else set())
    for table, key in (("whoop_raw.workouts", "id"), ("canonical.workouts", "raw_source_id")):
        was, is_ = rows_by_key(undisturbed, table, key), rows_by_key(database_url, table, key)
        assert {one: row for one, row in is_.items() if one not in spoiled} == {
            one: row for one, row in was.items() if one not in spoiled
        }


@pytest.mark.parametrize("fault", [bad.MissingKeys(0.3, "id"), bad.WrongTypes(0.3, "id"), bad.Nulls(0.3)])
def test_records_without_a_key_are_issues_of_their_window(
    fault: Fault, when: datetime, undisturbed: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = Faults([Rule(fault, on=WORKOUTS)])
    with member(monkeypatch, faults, days=DAYS, now=when):
        assert call("run", "whoop").code == 1
        assert call("run", "whoop").code in (0, 1), "the unsettled days may hold one"
    spoiled = {record["id"] for record in faults.memory.spoiled}
    assert all(record.startswith("? ") for record in ask(database_url, "SELECT record FROM meta.issues"))
    assert ask(database_url, ISSUES) != []
    was, is_ = (rows_by_key(url, "whoop_raw.workouts", "id") for url in (undisturbed, database_url))
    assert is_ == {one: row for one, row in was.items() if one not in spoiled}


def test_a_source_that_says_there_is_nothing_is_believed_until_it_is_asked_again(
    when: datetime, undisturbed: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """204 for a window is an answer; what it hid arrives with --full. Behind a cursor it is none."""
    faults = Faults([Rule(way.Empty(), on=WORKOUTS, times=4), Rule(way.Empty(), on="*/cycle", nth=(2, 4))])
    with member(monkeypatch, faults, days=DAYS, now=when) as sandbox:
        run_until_done(sandbox)
        run_until_done(sandbox, "--full")
    assert everything(database_url) == everything(undisturbed)


@pytest.mark.parametrize("said", ["soon", "0", "-1", "61", "nan"])
def test_a_patience_that_cannot_be_is_wrong_use(
    said: str, when: datetime, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with member(monkeypatch, None, days=1, now=when):
        monkeypatch.setenv("HDE_PATIENCE", said)
        found = call("run", "whoop")
    assert found.code == 2
    assert f"HDE_PATIENCE is {said!r}; it can be a number of seconds from 0.001 to 60" in found.err
