#!/usr/bin/env python
"""Entry point of every Insideout command."""

import os
import sys


def main() -> None:
    """Run the Django command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.env import SettingInvalidError

    try:
        execute_from_command_line(sys.argv)
    except SettingInvalidError as error:
        sys.exit(f"insideout: {error}")


if __name__ == "__main__":
    main()
