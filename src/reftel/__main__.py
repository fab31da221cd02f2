"""`python -m reftel`."""

from reftel.cli import main

main()
