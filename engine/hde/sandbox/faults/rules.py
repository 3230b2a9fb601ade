"""Which requests a fault is for: by path, and by number or by seeded chance."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random

from hde.sandbox.exchange import Reply, Request
from hde.sandbox.faults.case import Case, Fault, Memory


@dataclass(frozen=True)
class Rule:
    """A fault and the requests it is for: every one on the path, unless `nth` or `chance` says which."""

    do: Fault
    on: str = "*"
    """A path without its query; `*` stands for any characters."""
    nth: tuple[int, ...] = ()
    """Of the requests on the path, from 1."""
    chance: float = 1.0
    times: int | None = None
    """How often at most."""


class Faults:
    """Rules with what has come of them. Thread-safe.

    The same seed and the same order of requests bring the same faults; requests side by side change places.
    """

    def __init__(self, rules: Iterable[Rule] = (), seed: int = 1) -> None:
        self.rules = tuple(rules)
        self.seed = seed
        self.memory = Memory()
        self.done: list[tuple[str, str]] = []
        """Path and fault of everything that was injected."""
        self._seen = [0] * len(self.rules)
        self._fired = [0] * len(self.rules)
        self._lock = threading.Lock()

    def serve(self, request: Request, pass_on: Callable[[Request], Reply], end_access: Callable[[], None]) -> Reply:
        """The simulation's reply, or what faults make of it. `end_access` ends the tokens that are out."""
        if not self.rules:
            return pass_on(request)

        truth: list[Reply] = []

        def from_source() -> Reply:
            truth.append(pass_on(request))
            return truth[-1]

        answer: Callable[[], Reply] = from_source
        for rule in reversed(self._firing(request.path)):
            case = Case(request, answer, end_access, self.memory, self.seed)
            answer = _applied(rule.do, case)
        reply = self.memory.with_what_is_owed(request, answer())
        if truth:
            self.memory.last[request.path] = truth[-1].body
        return reply

    def _firing(self, path: str) -> list[Rule]:
        with self._lock:
            found = [rule for number, rule in enumerate(self.rules) if self._fires(number, rule, path)]
            self.done += [(path, rule.do.name) for rule in found]
        return found

    def _fires(self, number: int, rule: Rule, path: str) -> bool:
        if not fnmatchcase(path, rule.on):
            return False
        self._seen[number] += 1
        seen = self._seen[number]
        if rule.times is not None and self._fired[number] >= rule.times:
            return False
        by_chance = rule.chance >= 1 or Random(f"{self.seed}/{number}/{seen}").random() < rule.chance
        fires = seen in rule.nth if rule.nth else by_chance
        self._fired[number] += fires
        return fires


def _applied(fault: Fault, case: Case) -> Callable[[], Reply]:
    return lambda: fault.answer(case)
