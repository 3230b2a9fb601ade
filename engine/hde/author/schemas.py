"""Where an editor finds the schemas: in a checkout the engine's own, else a copy in `.hde/schemas`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path, PurePosixPath

from hde.spec.schema import SCHEMAS

IN_CHECKOUT = "engine/hde/spec/schemas"
COPIED = ".hde/schemas"


def schemas_folder(folder: Path) -> str:
    """The folder of the schemas, relative to the one that holds `connectors`."""
    return IN_CHECKOUT if (folder / IN_CHECKOUT).is_dir() else COPIED


def schema_line(schemas: str, file: str, name: str) -> str:
    """The first line of a YAML file, by which editors find its schema."""
    up = "../" * (len(PurePosixPath(file).parts) - 1)
    return f"# yaml-language-server: $schema={up}{schemas}/{name}.schema.json\n"


def copy_schemas(folder: Path) -> bool:
    """Bring the copies up to date; False where the schemas are a checkout's own, or nothing was to be done."""
    if schemas_folder(folder) == IN_CHECKOUT:
        return False
    changed = False
    for name in SCHEMAS:
        file = folder / COPIED / f"{name}.schema.json"
        text = files("hde.spec").joinpath("schemas", file.name).read_text(encoding="utf-8")
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            changed = True
    return changed
