"""Who a recording is about is not in it any more, and it still joins, keeps its types and its order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hde.steps.recording.disguise import identifier, shuffled, whole_number, word
from hde.steps.recording.pseudonyms import Pseudonyms

KEY = b"a key of thirty-two bytes, fixed"
WORDS = frozenset({"running", "v1", "Patient"})


def pseudonyms(key: bytes = KEY, **said: Any) -> Pseudonyms:
    given = {"categories": {"sport"}, "words": WORDS, "origin": "https://api.made.example", **said}
    return Pseudonyms(key, **given)


def told(document: Any, **said: Any) -> Any:
    one = pseudonyms(**said)
    one.learn(document)
    return one.replaced(document)


@pytest.mark.parametrize("size", [2, 3, 10, 90, 1000])
def test_a_permutation_without_fixed_points(size: int) -> None:
    found = [shuffled(number, size, KEY) for number in range(size)]
    assert sorted(found) == list(range(size))
    assert all(number != other for number, other in enumerate(found))
    assert found != [shuffled(number, size, KEY[::-1]) for number in range(size)] or size < 4


@pytest.mark.parametrize(
    "text",
    ["6f1c2a9e-3b7d-4e55-9a10-5d2f8c4b7e01", "6F1C2A9E-3B7D-4E55-9A10-5D2F8C4B7E01", "00123", "ab-12_X", "MjAyNi0wMQ==",
     "507f1f77bcf86cd799439011", "12345678901234567890", "A", "7"],
)  # fmt: skip
def test_an_identifier_keeps_its_shape(text: str) -> None:
    made = identifier(text, KEY)
    assert made != text
    assert len(made) == len(text)
    assert made == identifier(text, KEY)
    is_hex = len(text) > 20 and "=" not in text
    for old, new in zip(text, made, strict=True):
        assert (old.isalnum(), old if not old.isalnum() else None) == (
            new.isalnum(),
            new if not new.isalnum() else None,
        )
        assert is_hex or (old.isdigit(), old.isupper()) == (new.isdigit(), new.isupper())
    assert made.isupper() == text.isupper()
    if "-4e55-" in text.lower():
        assert (made[14], made[19]) == (text[14], text[19])


def test_a_number_and_its_text_are_one_identifier() -> None:
    assert identifier("5249564285", KEY) == str(whole_number(5249564285, KEY))
    assert len(str(whole_number(5249564285, KEY))) == 10
    assert whole_number(-12, KEY) < 0


@pytest.mark.parametrize("text", ["Anna", "MÜLLER", "Straße 12", "3", "北京"])
def test_a_made_up_word_has_length_and_case(text: str) -> None:
    made = word(text, KEY)
    assert len(made) == len(text)
    assert [char.isalpha() for char in made] == [char.isalpha() for char in text]
    assert made.isupper() == text.isupper()


@pytest.mark.parametrize(
    ("path", "value", "how"),
    [
        ("id", 5249564285, "identifier"),
        ("userId", "ab12", "identifier"),
        ("subject.reference", "Patient/ab12", "identifier"),
        ("sport", "running", "kept"),
        ("sport", "new_sport", "kept"),
        ("sport", 63, "kept"),
        ("score_state", "PENDING_SCORE", "kept"),
        ("first_name", "ANNA_MARIA", "text"),
        ("notes", "it hurt", "text"),
        ("anything", "it hurt", "text"),
        ("address.state", "Berlin", "text"),
        ("address.zip", 10115, "identifier"),
        ("status", "final", "kept"),
        ("coding.system", "http://loinc.org", "kept"),
        ("coding.code", "8867-4", "kept"),
        ("coding.display", "Heart rate of Anna", "text"),
        ("unit", "mm[Hg]", "kept"),
        ("offset", "+01:00", "kept"),
        ("zone", "Europe/Berlin", "kept"),
        ("locale", "de_DE", "kept"),
        ("span", "PT1H30M", "kept"),
        ("reading", "61.5", "kept"),
        ("contact", "+49 170 1234567", "text"),
        ("anything", "17012345678", "text"),
        ("email", "anna@web.de", "text"),
        ("href", "https://files.example.org/anna.pdf?sig=x", "link"),
        ("start", "2026-01-11T22:14:05.120+01:00", "time"),
        ("start", "2026-01-11", "time"),
        ("start", "11.01.2026 22:14", "time"),
        ("start", "1767225600", "time"),
        ("anything", 1767225600, "time"),
        ("anything", 1767225600123, "time"),
        ("birth_date", "1980-05-02", "date of birth"),
        ("birth_date", "1980", "text"),
        ("birth.year", 1980, "age or birth"),
        ("birth.month", 12, "age or birth"),
        ("birth_year", 1980, "age or birth"),
        ("age", 41, "age or birth"),
        ("lat", 52.520008, "place"),
        ("steps", 12000, "number kept"),
        ("steps", 0, "number kept"),
        ("value", 61.5, "number kept"),
    ],
)
def test_what_is_done_to_a_value(path: str, value: object, how: str) -> None:
    one = pseudonyms()
    document: Any = value
    for name in reversed(path.split(".")):
        document = {name: document}
    one.learn(document)
    made = one.replaced(document)
    assert one.treated == {path: {how}}
    for name in path.split("."):
        made = made[name]
    assert (made == value) == (how in ("kept", "number kept"))
    assert type(made) is type(value) or (isinstance(value, float) and isinstance(made, float))


def test_links_to_the_source_stay_links_to_it() -> None:
    link = "https://api.made.example/v1/Patient/ab12?cursor=xyz9&limit=25"
    made = told({"next": link, "id": "ab12"}, told_origin="https://told.example")
    assert made["next"].startswith("https://told.example/v1/Patient/" + made["id"] + "?cursor=")
    assert "xyz9" not in made["next"]
    assert told({"next": "https://elsewhere.example/anna"})["next"].startswith("https://example.com/")


def test_what_is_known_as_an_identifier_is_one_wherever_it_stands() -> None:
    made = told({"user": {"id": 700123}, "athlete": 700123, "ref": "User/700123", "by": {"700123": {"steps": 5}}})
    assert made["athlete"] == made["user"]["id"]
    assert made["by"] == {str(made["user"]["id"]): {"steps": 5}}


def test_recordings_with_the_same_key_join_and_others_do_not() -> None:
    assert told({"id": 700123, "name": "Anna"}) == told({"id": 700123, "name": "Anna"})
    assert told({"id": 700123}) != told({"id": 700123}, key=KEY[::-1])


def test_measurements_are_scrambled_where_it_is_asked_for() -> None:
    made = told({"value": 61.50, "steps": 12000, "zero": 0, "id": 1}, scramble_numbers=True)
    assert made["value"] != 61.5
    assert 55 <= made["value"] <= 68
    assert made["steps"] != 12000
    assert isinstance(made["steps"], int)
    assert made["zero"] == 0


def test_what_the_author_keeps_is_kept() -> None:
    assert told({"name": "resting", "id": 700123}, keep={"name", "id"}) == {"name": "resting", "id": 700123}


def test_times_are_moved_together_by_whole_weeks() -> None:
    instants = ["2026-03-28T23:30:00Z", "2026-03-29T07:10:00Z", "2026-04-02T00:00:00Z"]
    made = [datetime.fromisoformat(text) for text in told({"times": instants})["times"]]
    old = [datetime.fromisoformat(text) for text in instants]
    assert {new - then for new, then in zip(made, old, strict=True)} == {pseudonyms().shift}
    assert pseudonyms().shift % timedelta(weeks=1) == timedelta(0)
    assert pseudonyms().shift < -timedelta(weeks=52)


NAMES = st.text(st.sampled_from("cqwxyäßCQWXYÄ"), min_size=5, max_size=12)
"""Of letters that no made-up word has: what is found again has survived, and is no coincidence."""
NUMBERS = st.integers(10_000_000, 999_999_999)
PEOPLE = st.fixed_dictionaries(
    {
        "id": NUMBERS,
        "first_name": NAMES,
        "name": st.builds("{} {}".format, NAMES, NAMES),
        "email": st.builds("{}.{}@web.de".format, NAMES, NUMBERS),
        "phone": st.builds("+49 170 {}".format, NUMBERS),
        "birth_date": st.dates().map(str),
        "notes": st.builds("{} felt {}, {}".format, NAMES, NAMES, NUMBERS),
        "anything": NAMES,
        "self": st.builds("https://api.made.example/v1/Patient/{}?sig={}".format, NUMBERS, NAMES),
    }
)
RECORDS = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "at": st.integers(978_307_200, 2_208_988_800).map(lambda at: datetime.fromtimestamp(at, UTC).isoformat()),
        "sport": st.sampled_from(["running", "cycling"]),
        "value": st.one_of(st.none(), st.booleans(), st.integers(0, 999), st.floats(0, 999)),
        "subject": st.builds(lambda number: {"reference": f"Patient/{number}"}, NUMBERS),
    }
)


def same_shape(old: Any, new: Any) -> bool:
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(same_shape(old[name], new[name]) for name in old)
    if isinstance(old, list):
        return len(old) == len(new) and all(map(same_shape, old, new))
    return type(old) is type(new) or {type(old), type(new)} <= {float, type(new)}


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from leaves(below)
    elif not isinstance(value, int | float):
        yield value


@settings(max_examples=150, deadline=None)
@given(PEOPLE, st.lists(RECORDS, max_size=5), st.binary(min_size=32, max_size=32))
def test_no_personal_value_survives(person: dict[str, Any], records: list[dict[str, Any]], key: bytes) -> None:
    document = {"me": person, "records": [*records, *records[:1]]}
    made = told(document, key=key)
    text = json.dumps(made, ensure_ascii=False)
    names = [part for value in person.values() for part in re.findall("[cqwxyäßCQWXYÄ]{5,}", str(value))]
    assert [name for name in names if name in text] == []
    for old, new in zip(leaves(document), leaves(made), strict=True):
        for number in re.findall(r"[0-9-]{8,}", str(old)):
            assert number not in str(new)
    assert same_shape(document, made)
    assert made["records"][:1] == made["records"][len(records) :]
    assert [one["sport"] for one in made["records"]] == [one["sport"] for one in document["records"]]
    assert [one["value"] for one in made["records"]] == [one["value"] for one in document["records"]]
    order = sorted(range(len(records)), key=lambda at: records[at]["at"])
    moved = [datetime.fromisoformat(made["records"][at]["at"]) for at in order]
    assert moved == sorted(moved)
    assert len({one["id"] for one in made["records"]}) == len({one["id"] for one in document["records"]})
