"""What the documents claim: the tests they name exist, the commands they show are there, the settings are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hde.cli import cli
from hde.spec.load import load_source, mappings_folder

TOP = Path(__file__).parents[1]
PAGES = [TOP / "README.md", *sorted((TOP / "docs").rglob("*.md"))]


def named_tests() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    file = ""
    for path, name in re.findall(r"`(tests/[\w/]+\.py)?::(\w+)`", (TOP / "docs" / "delivery.md").read_text()):
        file = path or file
        found.append((file, name))
    return found


@pytest.mark.parametrize(("file", "name"), named_tests())
def test_a_test_that_proves_a_promise_is_there(file: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (TOP / file).read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_commands_that_are_shown_exist(page: Path) -> None:
    for command in re.findall(r"`(?:\.venv/bin/)?hde (?:--home \S+ )?([a-z]+)", page.read_text()):
        assert cli.get_command(None, command) is not None, command  # type: ignore[arg-type]  # no context is needed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text()):
        there = (page.parent / target if target else page).read_text()
        headings = re.findall(
            r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", there, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
        )
        assert anchor in {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}, anchor


def test_the_readme_is_one_screen() -> None:
    assert len((TOP / "README.md").read_text().splitlines()) <= 75


def test_every_setting_stands_in_the_example_file() -> None:
    example = (TOP / ".env.example").read_text()
    for file in sorted((TOP / "connectors").glob("*.yaml")):
        connector = load_source(file, mappings_folder(file)).connector
        for setting in connector.settings.values():
            assert f"{setting.variable(connector.name)}=" in example
    engine = "\n".join(path.read_text() for path in (TOP / "engine").rglob("*.py"))
    ours = set(re.findall(r'"(HDE_[A-Z_]+)"', engine)) - {"HDE_VERBOSE"}
    assert {name for name in ours if f"{name}=" not in example} == set()


@pytest.mark.parametrize("command", cli.list_commands(None))  # type: ignore[arg-type]  # as above
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
