"""Whatever JSON a source answers with: the drafted files are valid and their tests pass, or the answer is refused."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hde.author.files import write
from hde.author.from_sample import Asked, draft_from_sample
from hde.author.names import word_list
from hde.author.signin import KINDS, SignIn
from hde.author.yaml_text import yaml_text
from hde.check.source import check_paths
from hde.errors import WrongUse
from hde.spec.yaml_file import parse_yaml
from hde.steps.trying.mapping_tests import run_tests

KNOWN_NAMES = word_list(
    """id user_id uuid startTime start end timestamp measured_at day bpm heart_rate avg_hr hrv rmssd
    sdnn_ms spo2 steps weight_kg weight calories energy_kcal kilojoule respiratory_rate systolic
    skin_temp_celsius sport distance_meter nap light_sleep_minutes deep_percent efficiency
    timezone_offset email first_name birth_date created_at payload _id"""
)
NAMES = st.one_of(
    st.sampled_from(KNOWN_NAMES), st.text(max_size=12), st.sampled_from(["a.b", "*", "[]", 'q"', "é", "a-b"])
)
TEXTS = st.one_of(
    st.sampled_from(
        ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00", "2026-01-02", "+01:00", "no", "1e5", "0123", ""]
    ),
    st.uuids().map(str),
    st.text(max_size=20),
)
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 300),
    st.integers(-(10**28), 10**28),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    st.sampled_from([1767312000, 1767312000000, 61, 97.5]),
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
RECORDS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=8)
LISTS = st.lists(RECORDS, min_size=1, max_size=5).map(
    lambda all: [{**one, "id": number} for number, one in enumerate(all)]
)
PAGES = st.fixed_dictionaries(
    {"data": LISTS},
    optional={
        "next": st.sampled_from([None, "abc", "https://api.example.com/x?page=2"]),
        "next_token": st.sampled_from([None, "abc"]),
        "has_more": st.booleans(),
        "total": st.integers(0, 100),
        "meta": st.dictionaries(NAMES, PLAIN, max_size=3),
    },
)
ANSWERS = st.one_of(PAGES, LISTS, RECORDS)
PATHS = st.sampled_from(
    [
        "/v1/sleeps?start=2026-01-01&end=2026-02-01&limit=5",
        "/users/me",
        "/workouts?page=0&size=10",
        "/r?since=1767312000",
        "/a/b",
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answer=ANSWERS, path=PATHS, kind=st.sampled_from(KINDS))
def test_a_draft_is_valid_and_its_tests_pass(answer: Any, path: str, kind: Any) -> None:
    asked = Asked("drafted", "https://api.example.com", path, json.dumps(answer), SignIn(kind))
    try:
        draft = draft_from_sample(asked)
    except WrongUse:
        return
    with TemporaryDirectory() as place:
        folder = Path(place)
        write(draft.texts(".hde/schemas"), folder, force=False)
        connector = folder / "connectors" / "drafted.yaml"
        assert [str(one) for one in check_paths([connector]) if one.level == "error"] == []
        outcomes = list(run_tests(connector)) if (folder / "mappings" / "drafted" / "tests").is_dir() else []
        assert [one.differences for one in outcomes if one.differences] == []


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
SAID = st.recursive(
    PLAIN.filter(lambda value: "\0" not in str(value)) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS.filter(bool), inner, max_size=8),
)


@settings(max_examples=60, deadline=None)
@given(said=st.dictionaries(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1), SAID, min_size=1))
def test_what_is_written_is_read_back(said: dict[str, Any]) -> None:
    with TemporaryDirectory() as place:
        file = Path(place) / "said.yaml"
        file.write_text(yaml_text(said, {(next(iter(said)),): "look: a comment"}), encoding="utf-8", newline="")
        read, problems = parse_yaml(file)
    unreadable = ("key without a name", "before or in a key", "levels")
    if any(words in problem.message for problem in problems for words in unreadable):
        return
    assert problems == []
    assert read is not None
    assert read.data == said
