"""What the YAML says, frozen: short forms written out, paths turned into names, everything else as it stands."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from spec_made import CONNECTOR, LOOKUPS, MAPPING, changed, read

from hde.places import bundled
from hde.spec import connector as frozen
from hde.spec.connector import Cursor, ErrorRule, LinkHeader, NextUrl, Offset, OtherTime, PageNumber, Where
from hde.spec.freeze import column_name
from hde.spec.load import load_source, mappings_folder
from hde.spec.mapping import LocalOffset, Lookup, Mapping, Plus, Reading, Reference
from hde.spec.sign_in import OAuth2Code
from hde.spec.template import Template, compile_template

WHOOP = bundled("connectors") / "whoop.yaml"


def connector(folder: Path, old: str = "", new: str = "") -> frozen.Connector:
    source, complaints = read(folder, connector=changed(CONNECTOR, old, new))
    assert complaints == []
    assert source is not None
    return source.connector


def mapping(folder: Path, old: str = "", new: str = "", lookups: str = LOOKUPS) -> Mapping:
    source, complaints = read(folder, mapping=changed(MAPPING, old, new), lookups=lookups)
    assert complaints == []
    assert source is not None
    return source.mappings[0]


def reading(folder: Path, text: str) -> Reading:
    return mapping(folder, "is_nap: nap", f"is_nap: {text}").to["sleep_sessions"].rows[0].columns["is_nap"]


def test_whoop_is_under_200_lines_and_freezes() -> None:
    assert len(WHOOP.read_text(encoding="utf-8").splitlines()) <= 200
    whoop = load_source(WHOOP, mappings_folder(WHOOP)).connector
    assert (whoop.name, whoop.schema) == ("whoop", "whoop_raw")
    assert list(whoop.resources) == [
        "user_basic_profile", "user_body_measurement", "cycles", "recoveries", "sleeps", "workouts",
    ]  # fmt: skip
    assert whoop.settings["requests_per_minute"].default == "100"
    assert whoop.settings["client_id"].default is None
    assert whoop.settings["client_secret"].secret
    assert whoop.http.rate_limits[1].per == timedelta(days=1)
    assert isinstance(whoop.auth, OAuth2Code)
    assert whoop.auth.authorize.pkce is False
    recoveries = whoop.resources["recoveries"]
    assert recoveries.pagination == Cursor(Where(body="next_token"))
    assert recoveries.window is not None
    assert recoveries.window.time == OtherTime("sleeps", "sleep_id", "start")
    assert (recoveries.window.step, recoveries.window.settle) == (timedelta(days=90), timedelta(days=7))
    assert recoveries.request.params["limit"] == 25
    column = whoop.resources["cycles"].column("score_strain")
    assert column is not None
    assert (column.type, column.path) == ("float", "score.strain")
    body = whoop.resources["user_body_measurement"]
    assert (body.key, body.observe, body.window) == ((), True, None)
    assert body.errors == (ErrorRule("empty", (404,)),)


@pytest.mark.parametrize(
    ("text", "pagination"),
    [
        ("{kind: page}", PageNumber()),
        ("{kind: page, first: 0, size: 5, more: {header: X-More}, stop: short, max_pages: 9}",
         PageNumber(0, 5, Where(header="X-More"), None, "short", 9)),
        ("{kind: offset, size: 5, total: meta.total}", Offset(5, None, Where(body="meta.total"))),
        ("{kind: url, next: \"links[?rel == 'next'].href | [0]\"}",
         NextUrl(Where(body="links[?rel == 'next'].href | [0]"))),
        ("{kind: link_header}", LinkHeader()),
    ],
)  # fmt: skip
def test_every_kind_of_pagination(tmp_path: Path, text: str, pagination: object) -> None:
    made = connector(tmp_path, "path: /body", f"path: /body\n    pagination: {text}")
    assert made.resources["body"].pagination == pagination


@pytest.mark.parametrize(
    ("text", "span"),
    [("90d", timedelta(days=90)), ("1h", timedelta(hours=1)), ("30m", timedelta(minutes=30)),
     ("45s", timedelta(seconds=45)), ("2w", timedelta(weeks=2)), ("0d", timedelta(0))],
)  # fmt: skip
def test_spans_of_time(tmp_path: Path, text: str, span: timedelta) -> None:
    window = connector(tmp_path, "settle: 7d", f"settle: {text}").resources["sleeps"].window
    assert window is not None
    assert window.settle == span


def test_how_long_records_are_kept(tmp_path: Path) -> None:
    assert connector(tmp_path, "name: demo", "name: demo\nkeep: 52w").keep == timedelta(weeks=52)
    assert connector(tmp_path, "name: demo", "name: demo").keep is None


def test_a_whole_window(tmp_path: Path) -> None:
    text = "{time: score.at, step: 1d, settle: 0d, from: 2015-01-01, format: '%Y%m%d', end: inclusive, "
    text += "widen: {before: 1d}}"
    window = connector(tmp_path, "path: /body", f"path: /body\n    window: {text}").resources["body"].window
    assert window == frozen.Window(
        settle=timedelta(0),
        time="score_at",
        step=timedelta(days=1),
        from_=compile_template("2015-01-01"),
        format="%Y%m%d",
        end="inclusive",
        widen_before=timedelta(days=1),
    )


def test_errors_take_one_status_several_or_a_body(tmp_path: Path) -> None:
    text = '[{status: 403, do: skip}, {status: [502, 503], do: retry}, {body: "ok == `false`", do: fail, message: why}]'
    made = connector(tmp_path, "path: /body", f"path: /body\n    errors: {text}")
    assert made.resources["body"].errors == (
        ErrorRule("skip", (403,)),
        ErrorRule("retry", (502, 503)),
        ErrorRule("fail", (), "ok == `false`", "why"),
    )


def test_a_column_may_have_another_name_than_its_path(tmp_path: Path) -> None:
    columns = "{weight.kg: numeric, day: {type: timestamptz, path: $account.id}, plain: {type: int}}"
    made = connector(tmp_path, "{weight: float}", columns).resources["body"].columns
    assert [(one.name, one.type, one.path) for one in made] == [
        ("weight_kg", "numeric", "weight.kg"),
        ("day", "timestamptz", "$account.id"),
        ("plain", "int", "plain"),
    ]


def test_texts_in_a_json_body_are_templates_at_any_depth(tmp_path: Path) -> None:
    json_body = "json: {a: [1, {b: '{{ page.number }}'}], n: null}"
    request = connector(tmp_path, "path: /body", f"path: /body\n    method: POST\n    {json_body}")
    json = request.resources["body"].request.json
    assert isinstance(json, dict)
    assert json["n"] is None
    (one, nested) = json["a"]
    assert one == 1
    assert isinstance(nested["b"], Template)
    assert nested["b"].names == {("page", "number")}


def test_an_account_without_a_path_reads_the_token_answer(tmp_path: Path) -> None:
    account = connector(tmp_path, "name: demo", "name: demo\naccount: {id: patient, keep: {zone: user.tz}}").account
    assert account == frozen.AccountRequest("patient", None, {"zone": "user.tz"})
    asked = connector(tmp_path, "name: demo", "name: demo\naccount: {id: id, path: /me}").account
    assert asked is not None
    assert asked.request == frozen.Request(compile_template("/me"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nap", Reading(path="nap")),
        ("$other.a", Reading(path="$other.a")),
        ("{const: null}", Reading(has_const=True)),
        ("{const: false}", Reading(const=False, has_const=True)),
        ("{first: [a, {path: b, unit: m}]}", Reading(first=(Reading(path="a"), Reading(path="b", unit="m")))),
        ("{path: a, lookup: {no: x, 1: y}, unknown: null}",
         Reading(path="a", lookup=Lookup({"no": "x", "1": "y"}, "null"))),
        ("{path: a, lookup: state, unknown: skip}", Reading(path="a", lookup=Lookup({"A": "final"}, "skip", "state"))),
        ("{path: a, time: epoch_ms}", Reading(path="a", time="epoch_ms")),
        ("{path: a, time: '%d.%m.%Y', offset: tz}", Reading(path="a", time="%d.%m.%Y", offset=LocalOffset("tz"))),
        ("{path: a, offset: {path: tz, unit: min}}", Reading(path="a", offset=LocalOffset("tz", "min"))),
        ("{path: a, time: clock, zone: $account.zone, after: begin}",
         Reading(path="a", time="clock", zone="$account.zone", after="begin")),
        ("{path: a, plus: {path: length, unit: s}}", Reading(path="a", plus=Plus("length", "s"))),
        ("{path: a, plus: length}", Reading(path="a", plus=Plus("length"))),
    ],
)  # fmt: skip
def test_every_way_to_read_a_column(tmp_path: Path, text: str, expected: Reading) -> None:
    assert reading(tmp_path, text) == expected


def test_columns_for_all_rows_go_where_the_table_has_them_and_a_row_goes_first(tmp_path: Path) -> None:
    text = "start_time: start\n  context: {const: sleep}"
    made = mapping(tmp_path, "start_time: start", text)
    assert "context" not in made.to["sleep_sessions"].rows[0].columns, "the table has no such column"
    (spo2,) = made.to["biometrics_vitals"].rows
    assert (spo2.name, spo2.when) == ("spo2", "score")
    assert set(spo2.columns) == {"start_time", "state", "context", "value"}
    own = mapping(tmp_path, "when: score", "when: score\n        start_time: score.at")
    assert own.to["biometrics_vitals"].rows[0].columns["start_time"] == Reading(path="score.at")
    assert own.to["sleep_sessions"].rows[0].columns["start_time"] == Reading(path="start")


def test_the_rest_of_a_mapping(tmp_path: Path) -> None:
    made = mapping(tmp_path)
    assert (made.name, made.from_) == ("demo/sleeps", "sleeps")
    assert made.with_ == {"other": Reference("other", "body", "other_id")}
    assert made.ignore == {"id": "the key"}
    assert made.to["sleep_sessions"].rows[0].name == ""
    assert made.to["sleep_sessions"].rows[0].columns["asleep"] == Reading(sum=("a", "b"), unit="ms")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("is_nap: nap", "is_nap: {path: nap}"),
        ("ignore: {id: the key}", "ignore: {id: another reason}\n# a comment"),
        ("lookup: state", "lookup: {A: final}"),
        ("{sum: [a, b], unit: ms}", "{unit: ms, sum: [a, b]}"),
    ],
)
def test_another_spelling_is_the_same_mapping(tmp_path: Path, old: str, new: str) -> None:
    assert mapping(tmp_path, old, new).text_hash == mapping(tmp_path).text_hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("is_nap: nap", "is_nap: {path: nap, time: epoch}"),
        ("is_nap: nap", "is_nap: napping"),
        ("when: score", "when: other"),
        ("{sum: [a, b], unit: ms}", "{sum: [b, a], unit: ms}"),
        ("is_nap: nap", "is_nap: {const: null}"),
        ("is_nap: nap", "is_nap: {const: false}"),
        ("from: body", "from: naps"),
    ],
)
def test_another_meaning_is_another_mapping(tmp_path: Path, old: str, new: str) -> None:
    assert mapping(tmp_path, old, new).text_hash != mapping(tmp_path).text_hash


def test_the_lookups_and_their_order_are_part_of_the_hash(tmp_path: Path) -> None:
    hashes = [
        mapping(tmp_path, lookups=lookups).text_hash
        for lookups in (
            "state: {A: final}\n",
            "state: {A: pending}\n",
            "state: {A: final, B: x}\n",
            "state: {B: x, A: final}\n",
        )
    ]
    assert len(set(hashes)) == 4
    assert mapping(tmp_path, lookups="state: {A: final}\nunused: {B: x}\n").text_hash == hashes[0]


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("score.strain", "score_strain"),
        ("birthDate", "birth_date"),
        ("meta.lastUpdated", "meta_last_updated"),
        ("started-at", "started_at"),
        ("userID", "user_id"),
        ("x2Value", "x2_value"),
        ("heart_rate", "heart_rate"),
        ("a b", "a b"),
    ],
)
def test_the_column_of_a_path_is_named_as_postgres_names_things(path: str, column: str) -> None:
    assert column_name(path) == column
