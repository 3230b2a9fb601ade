"""What `hde validate` prints and takes, and that one mistake does not hide another in a different place."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "steps"))  # what starts a process of its own

from run_made import ended, ending, start

from hde.author.append import connector_said
from hde.check.source import check_paths
from hde.cli.author import test as hde_test
from hde.cli.validate import _annotation, validate
from hde.errors import WrongUse
from hde.spec.load import load_source
from hde.spec.problem import Problem


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    code: int = validate.main(list(arguments), standalone_mode=False)
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err.strip()


def _change(file: Path, *changes: tuple[str, str]) -> None:
    content = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in content, old
        content = content.replace(old, new, 1)
    file.write_text(content, encoding="utf-8")


def test_warnings_say_so_and_are_counted_apart(pulse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys) == (0, [], "All good.")
    (pulse / "mappings/pulse/fixtures/body/measured.json").unlink()
    code, lines, end = _run(capsys)
    assert (code, len(lines), end) == (0, 1, "1 warning")
    assert lines[0].startswith("mappings/pulse/body.yaml:1:7: from: warning: no fixture in ")
    _change(pulse / "connectors/pulse.yaml", ("settings.host", "settings.hots"))
    code, lines, end = _run(capsys)
    assert (code, len(lines), end) == (1, 2, "1 error, 1 warning")
    assert [": warning: " in line for line in lines] == [False, True]


def test_a_file_named_twice_is_complained_about_once(pulse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _change(pulse / "mappings/pulse/body.yaml", ("unit: kg", "unit: m"))
    code, lines, end = _run(capsys, "connectors", str(pulse / "mappings/pulse"), "pulse", ".")
    assert (code, len(lines), end) == (1, 1, "1 error")


def test_a_connector_is_named_as_for_a_run(pulse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "pulse") == (0, [], "All good.")
    with pytest.raises(WrongUse, match=r"No connector 'puls'\. Did you mean 'pulse'\?"):
        _run(capsys, "puls")


def test_a_folder_here_goes_before_a_connector_of_its_name(pulse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pulse / "pulse").mkdir()
    code, lines, _ = _run(capsys, "pulse")
    assert (code, lines) == (1, ["pulse:1:1: there is no YAML here: neither connectors nor mappings"])


def _places() -> list[str]:
    return [f"{Path(problem.file).name}: {problem.path}" for problem in check_paths([]) if problem.level == "error"]


def test_a_mistake_in_one_column_hides_nothing_of_the_others(pulse: Path) -> None:
    _change(
        pulse / "mappings/pulse/readings.yaml",
        ("unit: ms", "unti: ms"),
        ("unit: Cel", "unit: kg"),
        ("key: night_id", "key: nightid"),
        ("$night.begin", "$nigth.begin"),
    )
    _change(pulse / "mappings/pulse/body.yaml", ("unit: kg", "unit: m"))
    _change(pulse / "connectors/pulse.yaml", ("settings.host", "settings.hots"))
    assert _places() == [
        "pulse.yaml: http.base_url",
        "body.yaml: to.biometrics_vitals.rows.weight.value.unit",
        "readings.yaml: with.night.key",
        "readings.yaml: columns.start_time",
        "readings.yaml: to.biometrics_vitals.rows.hrv_sdnn.value.unti",
        "readings.yaml: to.biometrics_vitals.rows.noted.value.unit",
    ]


def test_a_mistake_in_one_resource_hides_nothing_of_the_others(pulse: Path) -> None:
    _change(pulse / "connectors/pulse.yaml", ("kilograms: float", "kilograms: flaot"), ("key: [id]", "key: [idd]"))
    _change(pulse / "mappings/pulse/body.yaml", ("unit: kg", "unit: m"))
    _change(pulse / "mappings/pulse/readings.yaml", ("key: night_id", "key: nightid"))
    assert _places() == [
        "pulse.yaml: resources.nights.key[0]",
        "pulse.yaml: resources.body.columns.kilograms",
        "body.yaml: to.biometrics_vitals.rows.weight.value.unit",
        "readings.yaml: with.night.key",
    ]


def test_a_connector_that_cannot_be_read_hides_no_mapping(pulse: Path) -> None:
    _change(pulse / "connectors/pulse.yaml", ("base_url", "base_ulr"))
    _change(pulse / "mappings/pulse/body.yaml", ("unit: kg", "unit: m"))
    _change(pulse / "mappings/pulse/nights.yaml", ("from: nights", "form: nights"))
    assert _places() == [
        "pulse.yaml: http.base_ulr",
        "body.yaml: to.biometrics_vitals.rows.weight.value.unit",
        "nights.yaml: form",
    ]


def test_json_is_a_list_of_problems(pulse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = _run(capsys, "--format", "json")
    assert (code, json.loads("".join(lines))) == (0, [])
    _change(pulse / "mappings/pulse/body.yaml", ("unit: kg", "unit: m"))
    code, lines, end = _run(capsys, "--format", "json")
    (problem,) = json.loads("\n".join(lines))
    assert (code, end) == (1, "")
    assert {name: problem[name] for name in ("file", "line", "column", "path", "level")} == {
        "file": "mappings/pulse/body.yaml",
        "line": 6,
        "column": 47,
        "path": "to.biometrics_vitals.rows.weight.value.unit",
        "level": "error",
    }
    assert "m" in problem["message"]


def test_github_reads_problems_as_annotations(pulse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _change(pulse / "connectors/pulse.yaml", ("settings.host", "settings.hots"))
    _change(pulse / "connectors/pulse.yaml", ("shared:", "shared:\n  paged: {records: items}"))
    code, lines, end = _run(capsys, "--format", "github")
    assert (code, end) == (1, "1 error, 1 warning")
    assert lines == [
        "::error file=connectors/pulse.yaml,line=6,col=13::http.base_url: "
        "settings.hots does not exist. Did you mean 'settings.host'?",
        "::warning file=connectors/pulse.yaml,line=10,col=3::shared.paged: no resource is `like: paged`",
    ]
    odd = Problem("a,b:c.yaml", 1, 2, "", "100 %\nmore")
    assert _annotation(odd) == "::error file=a%2Cb%3Ac.yaml,line=1,col=2::100 %25%0Amore"


def test_a_resolved_connector_says_the_same_without_shared(pulse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = _run(capsys, "pulse", "--resolved")
    other = pulse / "resolved" / "pulse.yaml"
    other.parent.mkdir()
    other.write_text("\n".join(lines), encoding="utf-8")
    assert code == 0
    assert "shared:" not in lines
    assert not any("like:" in line for line in lines)
    loaded = [load_source(file, pulse / "none").connector for file in (pulse / "connectors/pulse.yaml", other)]
    assert replace(loaded[0], file=other) == loaded[1]


def test_only_one_sound_connector_is_resolved(pulse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pulse / "connectors/second.yaml").write_text((pulse / "connectors/pulse.yaml").read_text())
    with pytest.raises(WrongUse, match="this names 2: hde validate NAME --resolved"):
        _run(capsys, "--resolved")
    _change(pulse / "connectors/pulse.yaml", ("base_url", "base_ulr"))
    with pytest.raises(WrongUse, match="base_ulr"):
        _run(capsys, "pulse", "--resolved")


def test_with_v_it_says_where_requests_and_secrets_go(
    pulse: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDE_VERBOSE", "1")
    assert _run(capsys)[1] == [
        "connectors/pulse.yaml: sends requests to https://api.pulse.example",
        "connectors/pulse.yaml: secret PULSE_KEY, in http.headers.Authorization",
    ]
    _change(pulse / "connectors/pulse.yaml", ("{default: https://api.pulse.example}", "{}"))
    assert _run(capsys)[1][0] == "connectors/pulse.yaml: sends requests to $PULSE_HOST"


def test_with_v_it_names_the_expressions_that_are_not_compiled(
    pulse: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = " || ".join(["kilograms"] * 60)
    _change(pulse / "mappings/pulse/body.yaml", ("path: kilograms", f"path: '{long}'"))
    assert _run(capsys)[:2] == (0, [])
    monkeypatch.setenv("HDE_VERBOSE", "1")
    (line,) = [line for line in _run(capsys)[1] if "not compiled" in line]
    where, message = line.split(": 'kilograms || kilograms", 1)
    assert where == "mappings/pulse/body.yaml:6: to.biometrics_vitals.rows.weight.value.path"
    assert message.endswith("' is not compiled: more than 50 levels deep")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_watching_checks_again_after_a_change_until_ctrl_c(pulse: Path) -> None:
    body = pulse / "mappings/pulse/body.yaml"
    with ending(start("validate", "--watch")) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "All good.\n"
        _change(body, ("unit: kg", "unit: m"))
        assert process.stderr.readline() == "1 error\n"
        _change(body, ("unit: m", "unit: kg"))
        assert process.stderr.readline() == "All good.\n"
        process.send_signal(signal.SIGINT)
        found = ended(process)
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("mappings/pulse/body.yaml:")


def test_mappings_that_are_shared_are_looked_at_once(pulse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clinic = pulse / "connectors/clinic.yaml"
    clinic.write_text("name: clinic\nlike: pulse\nmappings: pulse\nresources: {streams: null}\n")
    assert _run(capsys) == (0, [], "All good.")
    assert _run(capsys, "clinic") == (0, [], "All good.")
    code, lines, _ = _run(capsys, "clinic", "--resolved")
    assert (code, lines[0], "like: pulse" in lines, "  streams:" in lines) == (0, "name: clinic", False, False)
    _change(pulse / "mappings/pulse/body.yaml", ("unit: kg", "unit: m"))
    assert len(_run(capsys)[1]) == 1, "of two connectors"
    with pytest.raises(WrongUse, match=r"clinic has the mappings of pulse, .*: hde test pulse"):
        hde_test.main(["clinic"], standalone_mode=False)
    with pytest.raises(WrongUse, match=r"has the mappings of pulse: add it there"):
        connector_said(clinic)


def test_mappings_nobody_looks_at_are_found(pulse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clinic = pulse / "connectors/clinic.yaml"
    clinic.write_text("name: clinic\nlike: pulse\nmappings: puls\n")
    (pulse / "mappings/clinic").mkdir()
    code, lines, _ = _run(capsys)
    assert (code, lines) == (
        1,
        [
            "connectors/clinic.yaml:3:11: mappings: no connector puls: connectors/puls.yaml is not there, under which "
            "its mappings are tested",
            "mappings/clinic:1:1: nothing reads these mappings: connectors/clinic.yaml has those of puls "
            "(`mappings: puls`)",
        ],
    )
