"""The long forms of tests that run with every change: nothing here is collected unless it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

for tests in ("steps", "store", "source"):  # what tests of a run, of the embedded server and of a refresh are made with
    sys.path.append(str(Path(__file__).parents[1] / tests))
