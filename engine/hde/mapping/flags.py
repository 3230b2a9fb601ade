"""Flags of results: HL7's codes for the interpretation of an observation, out of codes and the words sources use."""

from __future__ import annotations

from typing import Final

_ALL: Final = "H HH HU L LL LU N A AA HX LX POS NEG IND E DET ND R S I SDD SYN-R SYN-S NS VS MS RR WR NR EX U D B W < >"
_CODES: Final = frozenset(_ALL.split())
_WORDS: Final = {
    "high": "H", "above high normal": "H", "above normal": "H", "above range": "H", "h*": "H", "abnormal high": "H",
    "critical high": "HH", "critically high": "HH", "high critical": "HH", "panic high": "HH", "hh*": "HH",
    "above upper panic limits": "HH", "alert high": "HH", "significantly high": "HU",
    "low": "L", "below low normal": "L", "below normal": "L", "below range": "L", "l*": "L", "abnormal low": "L",
    "critical low": "LL", "critically low": "LL", "low critical": "LL", "panic low": "LL", "ll*": "LL",
    "below lower panic limits": "LL", "alert low": "LL", "significantly low": "LU",
    "normal": "N", "within range": "N", "in range": "N", "within normal limits": "N", "wnl": "N", "unremarkable": "N",
    "abnormal": "A", "a*": "A", "abnormal applies to non-numeric results": "A",
    "out of range": "A", "outside range": "A",
    "critical": "AA", "critically abnormal": "AA", "critical abnormal": "AA", "panic": "AA", "alert": "AA",
    "positive": "POS", "pos": "POS", "negative": "NEG", "neg": "NEG", "indeterminate": "IND", "equivocal": "E",
    "detected": "DET", "not detected": "ND", "reactive": "RR", "non-reactive": "NR", "nonreactive": "NR",
    "resistant": "R", "susceptible": "S", "sensitive": "S", "intermediate": "I", "susceptible-dose dependent": "SDD",
    "off scale high": ">", "off scale low": "<",
}  # fmt: skip


def flag(said: str) -> str | None:
    """`H` out of `H`, `high` or `above high normal`; None for what is not known."""
    plain = " ".join(said.split()).strip("()[]")
    return plain.upper() if plain.upper() in _CODES else _WORDS.get(plain.lower())
