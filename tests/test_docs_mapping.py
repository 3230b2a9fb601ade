"""docs/mapping.md: every YAML block is a file, named in its first line, and every test in it passes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hde.mapping.compiled import compile_mapping
from hde.mapping.testing import run_test
from hde.spec.freeze_mapping import freeze_mapping, mapping_problems
from hde.spec.mapping_test import MappingTest, read_tests
from hde.spec.schema import schema_problems
from hde.spec.yaml_file import parse_yaml

PAGE = Path(__file__).parents[1] / "docs" / "mapping.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
FILES = {block.splitlines()[0].removeprefix("# "): block for block in BLOCKS}
FOLDER = "mappings/acme"
MAPPINGS = [name for name in FILES if re.fullmatch(rf"{FOLDER}/(?!lookups)\w+\.yaml", name)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("docs")
    for name, block in FILES.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(block, encoding="utf-8")
    return top / FOLDER


def all_tests(folder: Path) -> tuple[MappingTest, ...]:
    tests, problems = read_tests(folder)
    assert [str(problem) for problem in problems] == []
    return tests


def test_every_block_is_a_file_of_its_own() -> None:
    assert len(FILES) == len(BLOCKS)
    assert all(name.startswith(f"{FOLDER}/") for name in FILES)
    assert {name.replace(f"{FOLDER}/", f"{FOLDER}/tests/") for name in MAPPINGS} <= set(FILES), "each with its tests"


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_examples_of_the_page_do_what_their_tests_say(name: str, folder: Path) -> None:
    lookups = parse_yaml(folder / "lookups.yaml")[0]
    assert lookups is not None
    assert isinstance(lookups.data, dict)
    file, problems = parse_yaml(folder.parents[1] / name)
    assert file is not None
    problems += schema_problems(file, "mapping") or list(mapping_problems(file, lookups.data))
    assert [str(problem) for problem in problems] == []
    compiled = compile_mapping(freeze_mapping(file, "acme", lookups.data))
    own = [test for test in all_tests(folder) if test.mapping == file.file.stem]
    assert own
    assert [line for test in own for line in run_test(test, compiled, lambda resource: {})] == []


def test_every_rule_of_an_issue_is_on_the_page() -> None:
    engine = PAGE.parents[1] / "engine" / "hde" / "mapping"
    code = "\n".join(path.read_text(encoding="utf-8") for path in engine.glob("*.py"))
    rules = set(re.findall(r"(?:refuse|issue_about|Issue)\([^\n]*?, \"([a-z]+)\"", code))
    assert {"lookup", "unit", "part"} <= rules
    table = PAGE.read_text(encoding="utf-8").split("## What an issue's rule means")[1]
    assert {rule for rule in rules if f"`{rule}`" not in table} == set()
