"""A line to the database that can be cut and mended."""

import select
import socket
import threading
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit


class Cut:
    """Forwards loopback connections to the database until it is cut."""

    def __init__(self, database):
        fresh = urlsplit(database.fresh()["DATABASE_URL"])
        self.target, query = _server(fresh)
        self.whole = True
        self.lines = []
        self.door = socket.create_server(("127.0.0.1", 0))
        there = fresh.netloc.rpartition("@")[0]
        netloc = f"{there}@127.0.0.1:{self.door.getsockname()[1]}" if there else "127.0.0.1:%d" % self.door.getsockname()[1]
        self.settings = {"DATABASE_URL": urlunsplit(fresh._replace(netloc=netloc, query=query))}
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """End every connection and refuse new ones."""
        self.whole = False
        for line in self.lines:
            line.close()
        self.lines = []

    def mend(self):
        """Forward again."""
        self.whole = True

    def _accept(self):
        while True:
            near, _ = self.door.accept()
            if not self.whole:
                near.close()
                continue
            far = _connected(self.target)
            self.lines += [near, far]
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near, far):
        other = {near: far, far: near}
        try:
            while True:
                for side in select.select([near, far], [], [], 1)[0]:
                    data = side.recv(65536)
                    if not data:
                        return
                    other[side].sendall(data)
        except (OSError, ValueError):
            return
        finally:
            near.close()
            far.close()


def _server(url):
    """Where the server of a URL listens, a socket's path or a host and port; and the query without it."""
    query = dict(parse_qsl(url.query))
    # The attribute is in lower case, which a path must not be.
    host = query.pop("host", None) or unquote(url.netloc.rpartition("@")[2].partition(":")[0])
    port = int(query.pop("port", None) or url.port or 5432)
    if host.startswith("/"):
        return f"{host}/.s.PGSQL.{port}", urlencode(query)
    return (host or "127.0.0.1", port), urlencode(query)


def _connected(target):
    if isinstance(target, tuple):
        return socket.create_connection(target)
    line = socket.socket(socket.AF_UNIX)
    line.connect(target)
    return line
