"""Asking before what cannot be undone."""

from __future__ import annotations

import sys

import click

from hde.errors import WrongUse


def confirm(question: str) -> None:
    """Goes on where a person says yes, stops where they say no; WrongUse where nobody can be asked."""
    if not sys.stdin.isatty():
        raise WrongUse(f"{question} Nobody is here to answer: add --yes")
    click.confirm(question, abort=True, err=True)
