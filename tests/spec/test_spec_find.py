"""A connector is found by path, or by name: the author's own before the bundled one."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_made import CONNECTOR, write

from hde.errors import WrongUse
from hde.places import bundled
from hde.spec.load import find_connector, mappings_folder, read_source


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_is_looked_for_here_and_then_among_the_bundled(here: Path) -> None:
    assert find_connector("whoop") == bundled("connectors") / "whoop.yaml"
    write(here, connector=CONNECTOR)
    assert find_connector("demo") == Path("connectors/demo.yaml")
    (here / "connectors/whoop.yaml").write_text("name: whoop\n")
    assert find_connector("whoop") == Path("connectors/whoop.yaml")


def test_a_path_is_taken_as_given(here: Path) -> None:
    file = write(here)
    assert find_connector(str(file)) == file
    assert find_connector("connectors/demo.yaml") == Path("connectors/demo.yaml")
    assert find_connector("./connectors/demo.yaml") == Path("connectors/demo.yaml")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("whop", "No connector 'whop'. Did you mean 'whoop'?"),
        ("garmin", "No connector 'garmin'. There is demo, "),
        ("../secrets", "No connector '../secrets': there is no such file."),
        ("connectors/demoo.yaml", "No connector 'connectors/demoo.yaml': there is no such file. Did you mean 'demo'?"),
        ("Whoop", "No connector 'Whoop': there is no such file. Did you mean 'whoop'?"),
        ("", "No connector ''"),
    ],
)
def test_an_unknown_one_says_what_there_is(here: Path, name: str, message: str) -> None:
    write(here)
    with pytest.raises(WrongUse) as raised:
        find_connector(name)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("connector", "folder"),
    [
        ("connectors/whoop.yaml", "mappings/whoop"),
        ("/a/connectors/whoop.yaml", "/a/mappings/whoop"),
        ("whoop.yaml", "../mappings/whoop"),
    ],
)
def test_mappings_lie_beside_the_folder_of_connectors(connector: str, folder: str) -> None:
    assert mappings_folder(Path(connector)) == Path(folder)


def test_complaints_name_the_file_as_it_was_given(here: Path) -> None:
    write(here, connector=CONNECTOR.replace("kind: cursor", "kind: curser"))
    file = find_connector("demo")
    (problem,) = read_source(file, mappings_folder(file))[1]
    assert str(problem).startswith("connectors/demo.yaml:11:24: shared.list.pagination.kind: 'curser' is not one of")


def test_a_connector_without_mappings_is_a_source(here: Path) -> None:
    file = write(here)
    source, problems = read_source(file, here / "nowhere")
    assert problems == []
    assert source is not None
    assert source.mappings == ()
