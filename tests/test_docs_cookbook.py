"""docs/cookbook.md: every recipe is written to files as a reader would, validated by `hde validate` and played back by
`hde test`; every key of the grammar is in a recipe, and every recipe in the table that leads to it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from hde.check.source import check_paths
from hde.spec.merge import merge
from hde.spec.schema import schema
from hde.steps.trying.mapping_tests import run_tests

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "cookbook.md"
TEXT = PAGE.read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.DOTALL | re.MULTILINE)
BEFORE = TEXT.split("\n## ", 1)[0]
PARTS = [part for section in TEXT.split("\n## ")[1:] for part in section.split("\n### ")[1:]]
ALWAYS = ("no mapping reads ", "no fixture in ")
"""What is said of any connector that has no mapping or fixtures yet, as here."""


@dataclass(frozen=True)
class Recipe:
    """A heading of the page, and the blocks below it."""

    title: str
    text: str

    @property
    def blocks(self) -> list[str]:
        return re.findall(r"^```yaml\n(.*?)^```$", self.text, re.DOTALL | re.MULTILINE)

    @property
    def documents(self) -> list[tuple[str, dict[str, Any]]]:
        return [(block, yaml.safe_load(block)) for block in self.blocks]

    @property
    def anchor(self) -> str:
        return slug(self.title)

    @property
    def warnings(self) -> list[str]:
        """What validation says of it, as the page quotes it."""
        return re.findall(r"^> warning: (.*)$", self.text, re.MULTILINE)

    @property
    def behaviours(self) -> list[tuple[str, str]]:
        return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", self.text)


def slug(title: str) -> str:
    """A heading's anchor, as forges make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


RECIPES = [Recipe(*part.split("\n", 1)) for part in PARTS]
FRAME: dict[str, Any] = yaml.safe_load(re.findall(r"^```yaml\n(.*?)^```$", BEFORE, re.DOTALL | re.MULTILINE)[0])


def written(recipe: Recipe, folder: Path) -> Path:
    """The files that the blocks of a recipe are, its connector merged over the page's first; the connector's path."""
    connector: Mapping[str, Any] = FRAME
    (folder / "connectors").mkdir()
    (folder / "mappings/demo/tests").mkdir(parents=True)
    for number, (block, said) in enumerate(recipe.documents):
        if "tests" in said:
            (folder / f"mappings/demo/tests/{number}.yaml").write_text(block, encoding="utf-8")
        elif said.get("name", FRAME["name"]) != FRAME["name"]:
            (folder / f"connectors/{said['name']}.yaml").write_text(block, encoding="utf-8")
        elif "from" in said:
            (folder / f"mappings/demo/{said['from']}.yaml").write_text(block, encoding="utf-8")
        else:
            connector = merge(connector, said, (), ()).data
    file = folder / "connectors/demo.yaml"
    file.write_text(yaml.safe_dump(connector, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.anchor)
def test_a_recipe_does_what_it_says(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.chdir(tmp_path)
    connector = written(recipe, tmp_path)
    problems = [problem for problem in check_paths([]) if not problem.message.startswith(ALWAYS)]
    assert [str(problem) for problem in problems if problem.level == "error"] == []
    assert [problem.message for problem in problems] == recipe.warnings
    outcomes = list(run_tests(connector))
    assert [(outcome.title, *outcome.differences) for outcome in outcomes if outcome.differences] == []
    assert outcomes or recipe.behaviours, "neither a test nor the name of one"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.anchor)
def test_a_recipe_is_short_and_complete(recipe: Recipe) -> None:
    assert len(recipe.text.rstrip().splitlines()) <= 32
    assert recipe.blocks
    for file, name in recipe.behaviours:
        assert re.search(rf"^def {name}\(", (TOP / file).read_text(encoding="utf-8"), re.MULTILINE), (file, name)


def test_the_table_leads_to_every_recipe_in_its_order() -> None:
    assert len({recipe.anchor for recipe in RECIPES}) == len(RECIPES)
    assert re.findall(r"\]\(#([^)]+)\)", BEFORE) == [recipe.anchor for recipe in RECIPES]


def test_links_within_the_page_lead_somewhere() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", PROSE)) <= {recipe.anchor for recipe in RECIPES}


def test_every_key_of_a_connector_is_in_a_recipe() -> None:
    shown = {key for recipe in RECIPES for _, said in recipe.documents if not {"from", "tests"} & set(said)
             for key in keys(said)} | set(keys(FRAME))  # fmt: skip
    connector = schema("connector")["$defs"]
    parts = (
        "http", "rate_limit", "wait", "error_rule", "account", "resource", "pagination", "window", "bookmark",
        "receipt", "parents", "raw_column", "format", "order", "poll", "told", "export", "deleted",
        "report_template", "report_detect", "report_row", "report_numbers", "report_unmatched",
    )  # fmt: skip
    wanted = {key for part in parts for key in properties(connector.get(part, {}))}
    assert wanted - shown == set()


def test_every_key_of_a_mapping_is_in_a_recipe() -> None:
    shown = {key for recipe in RECIPES for _, said in recipe.documents if "from" in said and "to" in said
             for key in keys(said)}  # fmt: skip
    wanted = {key for part in schema("mapping")["$defs"].values() for key in properties(part)}
    assert wanted - shown == set()


def properties(node: Mapping[str, Any]) -> Iterator[str]:
    yield from node.get("properties", {})
    for branch in node.get("anyOf", ()):
        yield from properties(branch)


def keys(node: object) -> Iterator[str]:
    match node:
        case dict():
            for key, value in node.items():
                yield str(key)
                yield from keys(value)
        case list():
            for item in node:
                yield from keys(item)
