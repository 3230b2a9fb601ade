"""`each`: one record taken apart into rows, in four forms; what a row is called, and what stops it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yaml_made import found, from_yaml, shown, vital

from hde.errors import WrongUse

UNHURRIED = settings(deadline=None, database=None)

RATES = vital("each: beats\ncolumns:\n  metric: {const: heart_rate}\n  value: {path: '@', unit: /min}")
COMPONENTS = vital(
    """
rows:
  pressure:
    each: component
    key: code
    metric: {path: code, lookup: {sys: systolic_blood_pressure, dia: diastolic_blood_pressure}, unknown: skip}
    value: {path: value, unit: "mm[Hg]", optional: true}
"""
)
ZONES = vital(
    """
rows:
  heart_rate:
    each: {entries: zones}
    when: value.used
    value: {path: value.mean, unit: /min}
    start_time: {path: key, time: "%Y-%m-%d %z"}
"""
)
SERIES = vital(
    """
rows:
  heart_rate:
    each: {zip: {at: heart.at, bpm: heart.bpm}}
    start_time: {path: at, time: epoch}
    value: {path: bpm, unit: /min, optional: true}
"""
)
STAGES = """
from: things
to:
  sleep_sessions:
    each: {characters: stages}
    columns:
      start_time: {path: $parent.start, plus: {path: "`5`", unit: min, times: $index}}
      is_nap: {path: "@", lookup: {d: true, l: false}, unknown: skip}
"""
NESTED = vital(
    """
each: {entries: channels}
rows:
  channel:
    each: value
    metric: {path: $parent.key, lookup: {hr: heart_rate, kg: weight}}
    value: {path: "@", unit: {path: $parent.$parent.units}}
    start_time: {path: $parent.$parent.start, plus: {path: $parent.$parent.step, unit: s, times: $index}}
"""
)
DAYS = vital(
    """
each: days
key: date
rows:
  heart_rate: {value: {path: bpm, unit: /min, optional: true}}
  weight: {when: scales, value: {path: scales.kg, unit: kg}}
""",
    top="columns: {start_time: born}",
)

CHAIN = vital(
    """
rows:
  heart_rate:
    each: [weeks, {entries: days}, "value[?ok]"]
    value: {path: bpm, unit: /min}
    end_time: {path: $parent.$parent.$parent.until}
    method: $parent.key
""",
    top="columns: {start_time: born, utc_offset: tz}",
)
TREE = vital(
    """
rows:
  weight:
    each: [{nested: [parts, "more.parts[]"]}, scales]
    when: $parent.used
    value: {path: "@", unit: kg}
""",
    top="columns: {start_time: born}",
)

BORN = "2026-01-02T03:04:05Z"
ROWS = [
    ("a list: nulls keep their place", RATES, {"beats": [60, None, 62]}, [("0", 60.0), ("2", 62.0)]),
    ("a list that is not there", RATES, {}, []),
    ("a list that is null", RATES, {"beats": None}, []),
    ("an empty list", RATES, {"beats": []}, []),
    ("items by their key, in any order", COMPONENTS,
     {"component": [{"code": "dia", "value": 80}, {"code": "sys", "value": 120}]},
     [("pressure/dia", 80.0), ("pressure/sys", 120.0)]),
    ("items of another kind are skipped, and may lack a key", COMPONENTS,
     {"component": [{"code": "pulse", "value": 1}, {"code": "sys"}, {"value": None}, {"code": "dia", "value": 80}]},
     [("pressure/dia", 80.0)]),
    ("a key may be a number", COMPONENTS.replace("key: code", "key: rank"),
     {"component": [{"code": "sys", "value": 120, "rank": 1}]}, [("pressure/1", 120.0)]),
    ("entries of an object, with a condition of their own", ZONES,
     {"zones": {"2026-01-02 +0100": {"used": True, "mean": 99}, "2026-01-03 +0100": {"used": False}}},
     [("heart_rate/2026-01-02 +0100", 99.0)]),
    ("an empty list is an empty object", ZONES, {"zones": []}, []),
    ("parallel lists", SERIES, {"heart": {"at": [10, 20, 30], "bpm": [60, None, 62]}},
     [("heart_rate/0", 60.0), ("heart_rate/2", 62.0)]),
    ("a parallel list that is absent is null everywhere", SERIES, {"heart": {"at": [10, 20]}}, []),
    ("no list at all", SERIES, {"heart": None}, []),
    ("an each in an each", NESTED,
     {"start": BORN, "step": 60, "units": "bpm", "channels": {"hr": [60, 61]}},
     [("channel/hr/0", 60.0), ("channel/hr/1", 61.0)]),
    ("lists within lists, as many as there are", CHAIN,
     {"born": BORN, "weeks": [{"days": {"a": [{"bpm": 60, "ok": 1}], "b": [{}, {"bpm": 61, "ok": 1}]}}, None,
                              {"days": {"c": [{"bpm": 62, "ok": 1}]}}]},
     [("heart_rate/0/a/0", 60.0), ("heart_rate/0/b/0", 61.0), ("heart_rate/2/c/0", 62.0)]),
    ("a tree, every item before those below it", TREE,
     {"born": BORN, "parts": [{"used": 1, "scales": [1], "more": {"parts": [{"used": 1, "scales": [2, 3]}]}},
                              None, {"scales": [9], "parts": [{"used": 1, "scales": [4]}]}]},
     [("weight/0/0", 1.0), ("weight/1/0", 2.0), ("weight/1/1", 3.0), ("weight/4/0", 4.0)]),
    ("every node of a tree with every node of the same tree", vital(
        "rows: {weight: {each: [{nested: parts}, {nested: $parent.parts}], value: {path: kg, unit: kg}}}",
        top="columns: {start_time: born}"),
     {"born": BORN, "parts": [{"kg": 1, "parts": [{"kg": 2}]}]},
     [("weight/0/0", 1.0), ("weight/0/1", 2.0), ("weight/1/0", 1.0), ("weight/1/1", 2.0)]),
    ("a tree of nothing", TREE, {"born": BORN, "parts": []}, []),
    ("several rows per item", DAYS,
     {"born": BORN, "days": [{"date": "2026-01-02", "bpm": 50, "scales": {"kg": 70}},
                             {"date": "2026-01-03", "bpm": 51}]},
     [("heart_rate/2026-01-02", 50.0), ("weight/2026-01-02", 70.0), ("heart_rate/2026-01-03", 51.0)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "record", "rows"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_makes_one_row_per_item(tmp_path, text, record, rows):
    mapped = from_yaml(tmp_path, text).map(record)
    assert found(mapped) == []
    assert shown(mapped, "value") == rows


def test_characters_of_a_text_are_a_series_with_a_fixed_interval(tmp_path):
    mapped = from_yaml(tmp_path, STAGES).map({"start": "2026-01-02T22:00:00Z", "stages": "dl-d"})
    assert shown(mapped, "start_time", "is_nap") == [
        ("0", "2026-01-02T22:00:00Z", True),
        ("1", "2026-01-02T22:05:00Z", False),
        ("3", "2026-01-02T22:15:00Z", True),
    ]


def test_what_lies_around_an_item_is_in_reach_at_every_level(tmp_path):
    record = {"start": BORN, "step": 0.1, "units": "kg", "channels": {"kg": [70, 71, 72, 73]}}
    mapped = from_yaml(tmp_path, NESTED).map(record)
    times = [row[1] for row in shown(mapped, "start_time")]
    assert times == [BORN, *(f"2026-01-02T03:04:05.{n}00000Z" for n in (1, 2, 3))]


def test_in_lists_within_lists_everything_around_is_in_reach(tmp_path):
    record = {"born": BORN, "tz": "+02:00", "until": "2026-01-02T04:00:00Z",
              "weeks": [{"days": {"a": [{"bpm": 60, "ok": 1}, {"bpm": 61, "ok": 1}]}}]}  # fmt: skip
    mapped = from_yaml(tmp_path, CHAIN).map(record)
    assert found(mapped) == []
    whole = (BORN, "2026-01-02T04:00:00Z", "+02:00", "a")
    assert shown(mapped, "start_time", "end_time", "utc_offset", "method") == [
        ("heart_rate/0/a/0", *whole),
        ("heart_rate/0/a/1", *whole),
    ]


def test_what_an_item_further_out_says_is_read_anew_for_each_of_them(tmp_path):
    text = vital(
        "rows:\n  heart_rate:\n    each: [days, hours, beats]\n    value: {path: '@', unit: /min}\n"
        "    start_time: {path: $parent.$parent.at}\n  weight:\n    each: [days, hours, kilograms]\n"
        "    value: {path: '@', unit: kg}\n    start_time: {path: $parent.$parent.at}"
    )
    days = [{"at": f"2026-01-0{n}T00:00:00Z", "hours": [{"beats": [60], "kilograms": [70]}] * 2} for n in (1, 2)]
    mapped = from_yaml(tmp_path, text).map({"days": days})
    starts = [row[1][:10] for row in shown(mapped, "start_time")]
    assert starts == ["2026-01-01", "2026-01-01", "2026-01-02", "2026-01-02"] * 2


def test_columns_for_all_rows_are_read_from_the_record_inside_and_outside(tmp_path):
    text = vital(
        """
rows:
  weight: {value: {path: kg, unit: kg}}
  heart_rate: {each: beats, value: {path: bpm, unit: /min}}
""",
        top="columns: {start_time: start, end_time: {first: [end, stop]}, utc_offset: zone}",
    )
    record = {
        "start": "2026-01-02T23:30:00Z", "stop": "2026-01-03T01:00:00Z", "zone": "+01:00", "kg": 70,
        "beats": [{"bpm": 60, "start": "never", "end": "never"}],
    }  # fmt: skip
    mapped = from_yaml(tmp_path, text).map(record)
    whole = ("2026-01-02T23:30:00Z", "2026-01-03T01:00:00Z", "+01:00")
    assert shown(mapped, "start_time", "end_time", "utc_offset") == [("weight", *whole), ("heart_rate/0", *whole)]
    assert [row[1].isoformat() for row in shown(mapped, "local_date")] == ["2026-01-03"] * 2


def test_the_record_of_a_with_and_the_account_are_in_reach_inside(tmp_path):
    text = vital(
        "each: $night.beats\ncolumns:\n  metric: {const: heart_rate}\n  value: {path: '@', unit: /min}\n"
        "  start_time: {path: $night.begin, zone: $account.zone}\n  end_time: $row.observed_at",
        top="with: {night: {from: nights, key: night_id}}",
    )
    mapping = from_yaml(tmp_path, text)
    mapped = mapping.map(
        {},
        references={"night": {"begin": "2026-01-02T00:00:00", "beats": [60]}},
        account={"zone": "Europe/Berlin"},
        row={"observed_at": BORN},
    )
    assert shown(mapped, "start_time", "end_time", "value") == [("0", "2026-01-01T23:00:00Z", BORN, 60.0)]
    assert mapping.map({}).waiting


ISSUES = [
    ("no list", RATES, {"beats": {"a": 1}}, [("beats", "list")]),
    ("an item that is no number", RATES, {"beats": [60, "fast", "slow"]}, [("beats[]", "number")]),
    ("a value inside an item", COMPONENTS, {"component": [{"code": "sys", "value": "high"}]},
     [("component[].value", "number")]),
    ("an item without its key", COMPONENTS.replace("key: code", "key: id"),
     {"component": [{"code": "sys", "value": 120}]}, [("component[].id", "required")]),
    ("a key that is a list", COMPONENTS.replace("key: code", "key: id"),
     {"component": [{"code": "sys", "value": 120, "id": []}]}, [("component[].id", "key")]),
    ("a key that is empty", COMPONENTS.replace("key: code", "key: id"),
     {"component": [{"code": "sys", "value": 120, "id": ""}]}, [("component[].id", "key")]),
    ("a key longer than a primary key takes", COMPONENTS.replace("key: code", "key: id"),
     {"component": [{"code": "sys", "value": 120, "id": "x" * 501}]}, [("component[].id", "key")]),
    ("a key the database cannot hold", COMPONENTS.replace("key: code", "key: id"),
     {"component": [{"code": "sys", "value": 120, "id": "\0"}]}, [("component[].id", "text")]),
    ("two items with one key", COMPONENTS,
     {"component": [{"code": "sys", "value": 120}, {"code": "sys", "value": 121}]}, [("component[].code", "part")]),
    ("1 and '1' are one key", COMPONENTS.replace("key: code", "key: id"),
     {"component": [{"code": "sys", "value": 120, "id": 1}, {"code": "sys", "value": 121, "id": "1"}]},
     [("component[].id", "part")]),
    ("no object", ZONES, {"zones": [1]}, [("zones", "object")]),
    ("an entry's value", ZONES, {"zones": {"2026-01-02 +0100": {"used": True, "mean": ""}}},
     [("zones.*.mean", "number")]),
    ("an entry's key", ZONES, {"zones": {"today": {"used": True, "mean": 1}}}, [("keys(zones)", "time")]),
    ("lists of different lengths", SERIES, {"heart": {"at": [1, 2], "bpm": [60]}}, [("heart.bpm", "length")]),
    ("an empty list beside a full one", SERIES, {"heart": {"at": [1, 2], "bpm": []}}, [("heart.bpm", "length")]),
    ("a list beside none", SERIES, {"heart": {"at": [1], "bpm": "60"}}, [("heart.bpm", "list")]),
    ("a time in a parallel list", SERIES, {"heart": {"at": ["x"], "bpm": [60]}}, [("heart.at[]", "number")]),
    ("no text", STAGES, {"start": BORN, "stages": ["d"]}, [("stages", "type")]),
    ("what lies around", STAGES, {"start": "soon", "stages": "d"}, [("start", "time")]),
    ("a list within a list that is none", CHAIN.replace("value[?ok]", "value"),
     {"born": BORN, "weeks": [{"days": {"a": {"ok": 1}}}]}, [("weeks[].days.*", "list")]),
    ("a tree that has no list somewhere", TREE, {"born": BORN, "parts": [{"parts": [{"parts": {}}]}]},
     [("parts", "list")]),
    ("a tree that comes back to where it began", TREE.replace("more.parts[]", "[@]"), {"born": BORN},
     [("parts", "nested")]),
    ("everything that is wrong, each once", NESTED,
     {"start": BORN, "step": 60, "units": "bpm", "channels": {"hr": ["a", "b"], "kg": [70], "x": [1]}},
     [("channels.*[]", "number"), ("units", "unit"), ("keys(channels)", "lookup")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "record", "issues"), [row[1:] for row in ISSUES], ids=[row[0] for row in ISSUES])
def test_what_is_wrong_inside_an_item_is_an_issue_where_it_stands_and_no_row(tmp_path, text, record, issues):
    mapped = from_yaml(tmp_path, text).map(record)
    assert (mapped.rows, found(mapped)) == ([], issues)


def test_one_bad_item_keeps_the_whole_record_back(tmp_path):
    mapped = from_yaml(tmp_path, RATES).map({"beats": [60, 61, "x"]})
    assert (mapped.rows, found(mapped)) == ([], [("beats[]", "number")])


def test_items_with_one_doubt_tell_it_once(tmp_path):
    mapped = from_yaml(tmp_path, RATES).map({"beats": [1, 2, 3]})
    assert len(mapped.rows) == 3
    assert found(mapped) == [("beats[]", "plausible")]


REFUSED = [
    ("$parent before there is one", CHAIN.replace("[weeks,", "[$parent.weeks,"), r"each: .*\$parent stands only"),
    ("$index outside", vital("rows: {weight: {value: {path: $index, unit: kg}}}"), r"\$index stands only inside an"),
    ("$parent outside", vital("rows: {weight: {value: {path: $parent.kg, unit: kg}}}"), r"\$parent stands only inside"),
    ("one level too far", RATES.replace("'@'", "$parent.$parent.x"), r"\$parent\.\$parent stands only inside another"),
    ("$index where the list is named", RATES.replace("each: beats", "each: $index"), r"each: .*\$index stands only"),
    ("no such name", RATES.replace("'@'", "$paret.x"), r"Did you mean '\$parent'"),
    ("a list that does not compile", RATES.replace("each: beats", "each: $nigth.x"), r"\$nigth does not exist"),
]


@pytest.mark.parametrize(("text", "complaint"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_name_where_there_is_no_item_is_refused(tmp_path, text, complaint):
    with pytest.raises(WrongUse, match=complaint):
        from_yaml(tmp_path, text)


BEAT = st.none() | st.fixed_dictionaries({"at": st.integers(0, 10**9), "bpm": st.integers(30, 200)})
KEYED = vital(
    """
rows:
  heart_rate:
    each: beats
    key: at
    start_time: {path: at, time: epoch}
    value: {path: bpm, unit: /min}
"""
)


@UNHURRIED
@given(st.lists(BEAT, unique_by=lambda beat: beat and beat["at"], max_size=12), st.integers(0, 12), st.randoms())
def test_items_are_rows_for_themselves(tmp_path_factory, beats, cut, shuffle: random.Random):
    """Two lists, one after the other, give the rows of both; and their order decides nothing where there is a key."""
    mapping = from_yaml(tmp_path_factory.getbasetemp(), KEYED)

    def rows(items):
        mapped = mapping.map({"beats": items})
        assert mapped.issues == []
        return {row.part: row for row in mapped.rows}

    whole = rows(beats)
    assert whole == rows(beats[:cut]) | rows(beats[cut:])
    mixed = list(beats)
    shuffle.shuffle(mixed)
    assert rows(mixed) == whole
    assert len(whole) == len([beat for beat in beats if beat is not None])


@UNHURRIED
@given(st.lists(st.none() | st.integers(30, 200), max_size=8))
def test_parallel_lists_are_the_list_of_their_tuples(tmp_path_factory, rates):
    folder = tmp_path_factory.getbasetemp()
    apart = from_yaml(folder, SERIES).map({"heart": {"at": list(range(len(rates))), "bpm": rates}})
    listed = vital(
        "rows:\n  heart_rate:\n    each: items\n    start_time: {path: at, time: epoch}\n"
        "    value: {path: bpm, unit: /min, optional: true}"
    )
    together = from_yaml(folder, listed).map({"items": [{"at": n, "bpm": bpm} for n, bpm in enumerate(rates)]})
    assert apart.rows == together.rows
