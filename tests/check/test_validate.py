"""What `hde validate` prints and takes, and that one mistake does not hide another in a different place."""

from __future__ import annotations

from pathlib import Path

import pytest

from hde.check import check_paths
from hde.cli.author import validate
from hde.errors import WrongUse


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
    assert (code, len(lines), end) == (1, 3, "1 error, 2 warnings")
    assert [": warning: " in line for line in lines] == [True, False, True]


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
