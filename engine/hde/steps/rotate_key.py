"""Another key for all tokens of a home: in its token file and in its database, wherever they are kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hde.errors import WrongUse
from hde.steps.accounts import TOKEN_FILE
from hde.store.database import Database
from hde.store.tokens import DatabaseTokens
from hde.tokens import Resealed
from hde.tokens.file import FileTokens
from hde.tokens.keys import new_key
from hde.tokens.seal import FORMER, VARIABLE


@dataclass(frozen=True)
class Rotated:
    tokens: Resealed
    kept: str
    """Where the key is now."""


def rotate_key(database: Database, home: Path) -> Rotated:
    """Seal every token with a new key. Killed anywhere, all tokens can be opened, and the next call finishes.

    WrongUse where the new key is to come from HDE_SECRET_KEY and does not.
    """
    with new_key(home) as key:
        done = [FileTokens(home / TOKEN_FILE, key).reseal(), DatabaseTokens(database, key).reseal()]
    tokens = Resealed(
        sum(one.changed for one in done), sum(one.already for one in done), tuple(x for one in done for x in one.left)
    )
    if key.origin == VARIABLE and not tokens.changed and not tokens.left and not os.environ.get(FORMER):
        raise WrongUse(
            f"every token is sealed with the key in {VARIABLE} already\n"
            f"for another one: set {VARIABLE} to it and {FORMER} to the present one, then run this again"
        )
    return Rotated(tokens, key.origin)
