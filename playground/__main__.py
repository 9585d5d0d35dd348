"""`python -m playground serve`."""

from playground.command_line import main

main()
