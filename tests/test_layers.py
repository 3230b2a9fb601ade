"""Which wing may import what. Function-level imports count as well."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[1] / "engine" / "hde"
OURS = {"errors", "issues", "rows", "canonical", "durable"}  # plain data that any wing may speak in
# wing -> parts of hde it may import, and the heavy libraries it may
WINGS: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "durable": (set(), set()),
    "issues": (set(), set()),
    "rows": ({"issues"}, set()),
    "canonical": (set(), set()),
    "redact": (set(), set()),
    "places": ({"errors"}, set()),
    "tokens": (OURS | {"redact"}, {"cryptography", "keyring"}),
    "spec": (OURS | {"mapping.expression", "places"}, {"yaml", "jsonschema", "jinja2", "jmespath"}),
    "mapping": (
        OURS | {"spec.mapping", "spec.mapping_test", "spec.connector", "spec.problem"},
        {"jmespath", "pint", "ucumvert"},
    ),
    "author": (OURS | {"spec", "mapping", "check", "source.values"}, {"yaml"}),
    "check": (OURS | {"spec", "mapping", "places", "source.reader"}, {"jmespath"}),
    "source": (OURS | {"spec", "mapping.expression", "tokens", "redact"}, {"httpx", "joserfc"}),
    "store": (OURS | {"tokens", "places"}, {"psycopg", "sqlalchemy", "alembic"}),
    "sandbox": ({"errors"}, {"cryptography"}),
    "steps": (
        OURS | {"spec", "mapping", "check", "source", "store", "tokens", "redact", "places"},
        {"httpx"},
    ),
    "run": (OURS | {"spec", "mapping", "source", "store", "steps"}, set()),
    "contract": (
        OURS | {"spec", "mapping.expression", "check", "source.windows", "store", "steps", "run"},
        {"jmespath", "psycopg"},
    ),
    "cli": (
        OURS | {"spec", "author", "check", "store", "steps", "run", "contract", "sandbox", "places", "redact"},
        {"click", "rich", "httpx"},
    ),
}
HEAVY = set().union(*(libraries for _, libraries in WINGS.values()))
ABOVE = {"__init__", "__main__"}  # the package itself, and `python -m hde`
PROVIDERS = re.compile(r"\b(whoop|epic|mychart|quest|oura|fitbit|garmin|strava|withings|polar|dexcom)\b", re.IGNORECASE)


def modules() -> list[Path]:
    return [path for path in sorted(ENGINE.rglob("*.py")) if "bundled" not in path.parts]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ENGINE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if is_module(whole) else node.module or ""


def is_module(name: str) -> bool:
    path = ENGINE.parent / Path(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def is_within(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_a_wing_imports_only_what_it_may(path: Path) -> None:
    wing = module_name(path).split(".")[0]
    if wing in ABOVE or not wing:
        return
    inside, heavy = WINGS[wing]
    for name in imports(path):
        root, _, rest = name.partition(".")
        if root == "hde" and rest and rest != "__version__":
            assert is_within(rest, inside | {wing}) or any(one.startswith(f"{rest}.") for one in inside), name
        elif root in HEAVY:
            assert root in heavy, name


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    names = {f"hde.{module_name(path)}" for path in modules()}
    graph = {f"hde.{module_name(path)}": {name for name in imports(path) if name in names} for path in modules()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for other in graph[name] - {name}:
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", [path for path in modules() if "sandbox" not in path.parts], ids=module_name)
def test_no_provider_is_named_in_engine_code(path: Path) -> None:
    assert not PROVIDERS.findall(path.read_text(encoding="utf-8"))
