"""`messages-playground`: the commands of an installed playground, as `manage.py` is in a checkout."""

from __future__ import annotations

import os
import sys

from playground import __version__


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
    if sys.argv[1:2] in (["--version"], ["version"]):
        print(f"Messages Playground {__version__}")
        return
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
