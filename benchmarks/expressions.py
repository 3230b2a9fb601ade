"""How fast compiled JMESPath is: every expression of the bundled WHOOP mappings, over records of their resource.

    python -m benchmarks.expressions --records 2000

Sleeps are generated, the others are the recorded fixtures. Prints microseconds per record and the ratio to jmespath.py
for an expression at a time and all of a mapping at once; last, sleeps as canonical rows, with types, units and times.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jmespath

from benchmarks import shapes
from hde.mapping import expression
from hde.mapping.compiled import compile_mapping
from hde.mapping.expression import NAMED
from hde.spec.load import load_source
from hde.spec.schema import texts_of
from hde.spec.yaml_file import parse_yaml

TOP = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONNECTOR, MAPPINGS = TOP / "connectors" / "whoop.yaml", TOP / "mappings" / "whoop"


def expressions(file: Path) -> Iterator[str]:
    """Every JMESPath of a mapping, without the `$name` that some begin with."""
    read, _ = parse_yaml(file)
    assert read is not None
    for text in sorted(texts_of(read.data, "mapping", ("jmespath", "path"))):
        named = NAMED.match(text)
        yield (named[2] or named[3] or "@") if named else text


def microseconds(work: Callable[[Any], object], documents: Sequence[object], runs: int) -> float:
    """Processor time per document, the median of some runs."""
    times = []
    for _ in range(runs):
        began = time.process_time()
        for document in documents:
            work(document)
        times.append(time.process_time() - began)
    return statistics.median(times) / len(documents) * 1e6


def each(functions: Sequence[Callable[[Any], object]]) -> Callable[[Any], object]:
    return lambda document: [function(document) for function in functions]


def compare(name: str, texts: Sequence[str], documents: Sequence[object], runs: int) -> tuple[float, float, float]:
    reference = each([jmespath.compile(text).search for text in texts])
    alone, together = each([expression.compile(text) for text in texts]), expression.compile_all(texts)
    for document in documents:
        found = reference(document)
        if alone(document) != found or list(together(document)) != found:
            sys.exit(f"{name}: not what jmespath.py gives")
    base, one, many = (microseconds(work, documents, runs) for work in (reference, alone, together))
    report(f"{name}, {len(texts)} expressions", base, one, many)
    return base, one, many


def report(name: str, base: float, one: float, many: float) -> None:
    print(
        f"{name:38} jmespath {base:7.2f}   compiled {one:6.2f} ({base / one:3.0f}x)"
        f"   all at once {many:6.2f} ({base / many:3.0f}x)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    sleeps = [json.loads(text) for text in shapes.records("sleep", arguments.records, NOW)]
    times = []
    for file in sorted(MAPPINGS.glob("*.yaml")):
        if file.stem == "lookups":
            continue
        recorded = [json.loads(one.read_bytes()) for one in sorted((MAPPINGS / "fixtures" / file.stem).glob("*.json"))]
        documents = sleeps if file.stem == "sleeps" else recorded * (arguments.records // len(recorded))
        times.append(compare(file.stem, list(expressions(file)), documents, arguments.runs))
    base, one, many = map(sum, zip(*times, strict=True))
    report("a record of each", base, one, many)
    compiled = next(
        compile_mapping(one) for one in load_source(CONNECTOR, MAPPINGS).mappings if one.file.stem == "sleeps"
    )
    print(f"{'sleeps, to canonical rows':38} {microseconds(compiled.map, sleeps, arguments.runs):6.2f}")


if __name__ == "__main__":
    main()
