"""A database for each host: a file of its own, or one beside the PostgreSQL database that was given."""

import itertools
import os
import shutil
import subprocess
from urllib.parse import urlsplit, urlunsplit

COUNTER = itertools.count(1)


class Sqlite:
    """SQLite in the data folder of each host."""

    kind = "sqlite"
    name = "sqlite"

    def fresh(self):
        """The setting of a new database: none, since the data folder is new."""
        return {}

    def drop(self):
        """Nothing to drop: the folders go with their hosts."""


class Postgres:
    """Databases beside the given one, made and dropped by `psql`."""

    kind = "postgres"

    def __init__(self, url):
        self.url = url
        self.name = urlunsplit(urlsplit(url)._replace(netloc=urlsplit(url).hostname or ""))
        self.made = []
        if shutil.which("psql") is None:
            raise SystemExit("walking on PostgreSQL needs `psql`, to make a database for each host")

    def fresh(self):
        """The setting of a new and empty database."""
        parts = urlsplit(self.url)
        name = f"{parts.path.lstrip('/') or 'walk'}_{os.getpid()}_{next(COUNTER)}"
        self._say(f'CREATE DATABASE "{name}"')
        self.made.append(name)
        return {"DATABASE_URL": urlunsplit(parts._replace(path="/" + name))}

    def drop(self):
        """Drop what was made."""
        self._say(*(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)' for name in self.made))
        self.made = []

    def _say(self, *statements):
        each = [part for statement in statements for part in ("-c", statement)]
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", self.url, *each], check=True, timeout=300, stdin=subprocess.DEVNULL)


def named(text):
    """`sqlite`, or the URL of an empty PostgreSQL database."""
    return Sqlite() if text == "sqlite" else Postgres(text)
