"""Faults between a port and a simulation: what goes wrong, on which path, with which request. Knows no provider.

The kinds are in `answers` (what breaks in between), `pages`, and `records` (what is wrong at the source itself).
"""

from hde.sandbox.faults.rules import Faults, Rule
from hde.sandbox.faults.written import KINDS, Mistake, read

__all__ = ["KINDS", "Faults", "Mistake", "Rule", "read"]
