"""`hde sandbox --faults FILE`: reads the file, and says in which line what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from hde.sandbox.faults import KINDS, Faults, Mistake, read
from hde.spec.problem import Problems, with_hint
from hde.spec.yaml_file import parse_yaml

_ABOUT = "\n".join(f"  {name:<18}{kind.__doc__.partition(chr(10))[0]}" for name, kind in KINDS.items())
EPILOG = f"""\b
Faults, as `faults: [{{do: status, status: 503, on: /v2/*, nth: [2, 5]}}]` (docs/faults.md):
{_ABOUT}"""


def read_faults(file: Path) -> Faults:
    """Raises Problems, with the place of each."""
    parsed, problems = parse_yaml(file)
    if parsed is None or problems:
        raise Problems(problems)
    try:
        return read(parsed.data)
    except Mistake as mistake:
        message = with_hint(str(mistake), mistake.word, mistake.known) if mistake.word else str(mistake)
        raise Problems([parsed.problem(mistake.path, message)]) from None
