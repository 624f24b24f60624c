#!/usr/bin/env python
"""Django's command line; a command that needs the embedded servers finds them running."""

import os
import sys

# These touch neither server, or mind the servers themselves.
SERVERLESS = {
    "run",
    "reset",
    "help",
    "version",
    "check",
    "compilemessages",
    "makemessages",
    "spectacular",
    "collectstatic",
}


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from environs import EnvError

    from config.logging import door

    door.set("command")
    try:
        from django.conf import settings

        embedded_servers = {"database": settings.EMBEDDED_DATABASE, "redis": settings.EMBEDDED_REDIS}
    except (ImproperlyConfigured, EnvError) as error:
        sys.exit(f"Settings: {error}")

    words = sys.argv[1:]
    if (
        not words
        or words[0] in SERVERLESS
        or {"-h", "--help"} & set(words)
        or words[-1] == "--version"
        or not any(embedded_servers.values())
    ):
        execute_from_command_line(sys.argv)
        return

    from config import embedded

    try:
        with embedded.running(settings.HUB_DATA, **embedded_servers):
            execute_from_command_line(sys.argv)
    except embedded.EmbeddedServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
