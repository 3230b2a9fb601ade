"""The long forms of tests that run with every change: nothing here is collected unless it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "steps"))  # what tests of a run are made with
