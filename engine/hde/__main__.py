"""`python -m hde` is `hde`."""

from hde.cli import main

main()
