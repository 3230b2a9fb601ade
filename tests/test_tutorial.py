"""docs/write-a-connector.md, followed to the letter: commands run, edits made, files held against it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

sys.path.append(str(Path(__file__).parent / "steps"))  # `call` is made there

from run_made import call

DOCS = Path(__file__).parents[1] / "docs"
PORT = "8800"


class Block(NamedTuple):
    """A fenced block: what it is, the file it is about, its lines, and where it begins."""

    kind: str
    file: str
    lines: list[str]
    number: int


def blocks(text: str) -> Iterator[Block]:
    for match in re.finditer(r"^```(\w+) ?(\S*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(match[1], match[2], match[3].splitlines(), text[: match.start()].count("\n") + 1)


@contextmanager
def served() -> Iterator[str]:
    """The source of the tutorial; its port."""
    with subprocess.Popen(
        [sys.executable, str(DOCS / "pulse_api.py"), "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split(":")[2].split("/")[0]
        finally:
            process.kill()


def ran(line: str) -> str:
    """What a command of the page says. Those that are not ours are done in Python: not every machine has them."""
    words = shlex.split(line)
    match words:
        case ["hde", *arguments]:
            return call(*arguments).said
        case ["curl", "-s", "-H", header, url, ">", file]:
            name, _, value = header.partition(": ")
            Path(file).write_bytes(httpx.get(url, headers={name: value}).content)
        case ["echo", text, ">>", file]:
            with Path(file).open("a", encoding="utf-8") as opened:
                opened.write(f"{text}\n")
        case _:
            pytest.fail(f"nobody knows how to run {line!r}")
    return ""


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Each command and the lines that are shown below it."""
    shown: list[str] = []
    line = ""
    for one in block.lines:
        if one.startswith("$ "):
            if line:
                yield line, shown
            line, shown = one[2:], []
        else:
            shown.append(one)
    yield line, shown


def is_said(shown: str, said: str) -> bool:
    """The same but for white space; `...` stands for anything."""
    pattern = r".*".join(re.escape(" ".join(part.split())) for part in shown.split("..."))
    return re.fullmatch(pattern.replace(r"\ .*", r"\b.*").replace(r".*\ ", r".*\b"), " ".join(said.split())) is not None


def hold(shown: list[str], said: str, where: str) -> None:
    """Every line that is shown was said, in this order; others may stand between."""
    rest = iter(said.splitlines())
    for line in shown:
        if line.strip() not in ("", "..."):
            assert any(is_said(line, other) for other in rest), f"{where}: {line!r} was not said:\n{said}"


def edit(block: Block) -> None:
    """A diff of one place: what is there with - and without a mark becomes what is there with + and without."""
    text = Path(block.file).read_text(encoding="utf-8")
    before = "".join(f"{line[1:]}\n" for line in block.lines if line[:1] in "- ")
    after = "".join(f"{line[1:]}\n" for line in block.lines if line[:1] in "+ ")
    assert text.count(before) == 1, f"line {block.number}: {before!r} is not once in\n{text}"
    Path(block.file).write_text(text.replace(before, after), encoding="utf-8")


def test_every_step_of_the_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.chdir(tmp_path)
    with served() as port:
        text = (DOCS / "write-a-connector.md").read_text(encoding="utf-8").replace(PORT, port)
        for block in blocks(text):
            match block.kind:
                case "console":
                    for line, shown in commands(block):
                        hold(shown, ran(line), f"line {block.number}, {line}")
                case "yaml":
                    content = Path(block.file).read_text(encoding="utf-8")
                    assert "\n".join(block.lines) in content, f"line {block.number}: not in\n{content}"
                case "diff":
                    edit(block)
                case other:
                    assert other == "sh", f"line {block.number}: a block of {other} does nothing"
