"""The random tests of `tests/hostile`, led by what they reach instead of by chance: atheris, where it installs.

    .venv/bin/pip install atheris
    .venv/bin/python tests/soak/guided.py template -max_total_time=600

Of template, path, unit, time and answer. Whatever they raise stands at the end, with the bytes that led there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found]  # of no extra: it has no wheels for Windows

sys.path.append(str(Path(__file__).parents[1] / "hostile"))
with atheris.instrument_imports(include=["hde"]):
    import test_hostile_texts as tests

TARGETS = {
    "template": tests.test_any_template_gives_a_value_or_an_error_of_ours,
    "path": tests.test_any_path_gives_a_value_or_an_error_of_ours,
    "unit": tests.test_any_unit_converts_or_is_an_error_of_ours,
    "time": tests.test_any_time_is_read_or_an_issue,
    "answer": tests.test_any_answer_is_records_issues_or_an_error_of_ours,
}

if __name__ == "__main__":
    if sys.argv[1:2] == [] or sys.argv[1] not in TARGETS:
        sys.exit(f"guided.py {'|'.join(TARGETS)} [-max_total_time=SECONDS]")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target.hypothesis.fuzz_one_input)
    atheris.Fuzz()
