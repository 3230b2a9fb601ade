"""What an answer no longer holds: when it is believed, and when the source is rather out of order."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback_made import DAY, Reply, Source, write_connector, write_made
from run_made import ask, call, counts, do

LISTED = """
alpha: {path: /alpha, records: records, key: [id], missing: delete, columns: {id: bigint}%s}
"""


def snapshot(source: Source, folder: Path, records: int, more: str = "") -> None:
    """A connector of a list without windows, and a source that holds this many records."""
    write_made(folder, LISTED % more)
    answers(source, range(records))


def answers(source: Source, ids: range) -> None:
    source.answer = lambda seen: Reply({"records": [{"id": id} for id in ids]})


def stored(url: str) -> int:
    return counts(url, "made_raw", "alpha")["alpha"]


@pytest.mark.parametrize("many", [1, 10])
def test_an_answer_that_holds_nothing_deletes_nothing(
    source: Source, tmp_path: Path, database_url: str, many: int
) -> None:
    snapshot(source, tmp_path, many)
    assert call("run", "made").code == 0
    answers(source, range(0))
    found = call("run", "made")
    assert found.code == 1
    assert "holds nothing at all, so nothing was dropped" in found.out
    assert stored(database_url) == many
    assert ask(database_url, "SELECT rule FROM meta.issues WHERE closed_at IS NULL") == [
        "an answer that holds nothing at all"
    ]


def test_nothing_where_nothing_was_is_no_issue(source: Source, tmp_path: Path, database_url: str) -> None:
    snapshot(source, tmp_path, 0)
    assert [call("run", "made").code for _ in range(2)] == [0, 0]


def told_a_day_later(source: Source, url: str) -> None:
    do(url, "UPDATE meta.issues SET first_seen = first_seen - interval '1 day'")


def told_of_another_record(source: Source, url: str) -> None:
    answers(source, range(100, 101))


@pytest.mark.parametrize("then", [told_a_day_later, told_of_another_record])
def test_silence_is_believed_once_the_source_answers_or_a_day_later(
    source: Source, tmp_path: Path, database_url: str, then
) -> None:
    snapshot(source, tmp_path, 3)
    assert call("run", "made").code == 0
    answers(source, range(0))
    assert [call("run", "made").code for _ in range(2)] == [1, 1], "twice within the day is once"
    then(source, database_url)
    assert call("run", "made").code == 0
    assert ask(database_url, "SELECT count(*) FROM made_raw.alpha_history WHERE _op = 'D'") == [3]
    assert ask(database_url, "SELECT count(*) FROM meta.issues WHERE closed_at IS NULL") == [0]


def test_an_earlier_silence_that_passed_is_no_witness(source: Source, tmp_path: Path, database_url: str) -> None:
    snapshot(source, tmp_path, 3)
    for ids, code in ((range(3), 0), (range(0), 1), (range(3), 0)):
        answers(source, ids)
        assert call("run", "made").code == code
    do(
        database_url,
        "UPDATE meta.issues SET first_seen = first_seen - interval '9 days', closed_at = closed_at - interval '8 days'",
    )
    answers(source, range(0))
    assert call("run", "made").code == 1
    assert stored(database_url) == 3


def test_a_silent_window_is_believed_beside_one_that_answers(source: Source, tmp_path: Path, database_url: str) -> None:
    """A person deletes the only workout of a week: the source is well, as its other weeks show."""
    write_connector(tmp_path, "alpha", parallel=1, missing="delete")
    source.fill("alpha", every=8 * DAY)
    was = len(source.records["alpha"])
    assert call("run", "made").code == 0
    del source.records["alpha"][-1]
    assert call("run", "made", "--full").code == 0
    assert stored(database_url) == was - 1


def test_an_empty_day_deletes_nothing_by_daily_refresh(source: Source, tmp_path: Path, database_url: str) -> None:
    write_connector(tmp_path, "alpha", missing="delete")
    source.fill("alpha")
    assert call("run", "made").code == 0
    was = stored(database_url)
    source.records["alpha"].clear()
    found = call("run", "made", "--daily-refresh")
    assert found.code == 1
    assert "holds nothing at all" in found.out
    assert stored(database_url) == was


@pytest.mark.parametrize(
    ("more", "left", "code"),
    [
        ("", 71, 0),
        ("", 69, 1),
        (", missing_share: 0.5", 51, 0),
        (", missing_share: 0.5", 49, 1),
        (", missing_share: 1", 0, 0),
    ],
)
def test_what_vanishes_at_once_is_believed_up_to_the_declared_share(
    source: Source, tmp_path: Path, database_url: str, more: str, left: int, code: int
) -> None:
    snapshot(source, tmp_path, 100, more)
    assert call("run", "made").code == 0
    answers(source, range(left))
    assert call("run", "made").code == code
    assert stored(database_url) == (100 if code else left)
