"""A line to the database that can be cut and mended."""

import select
import socket
import threading
from urllib.parse import urlsplit, urlunsplit


class Cut:
    """Forwards loopback connections to the database until it is cut."""

    def __init__(self, database):
        fresh = urlsplit(database.fresh()["DATABASE_URL"])
        self.target = (fresh.hostname or "127.0.0.1", fresh.port or 5432)
        self.whole = True
        self.lines = []
        self.door = socket.create_server(("127.0.0.1", 0))
        there = fresh.netloc.rpartition("@")[0]
        netloc = f"{there}@127.0.0.1:{self.door.getsockname()[1]}" if there else "127.0.0.1:%d" % self.door.getsockname()[1]
        self.settings = {"DATABASE_URL": urlunsplit(fresh._replace(netloc=netloc))}
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
            far = socket.create_connection(self.target)
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
