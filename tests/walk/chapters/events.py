"""Server-sent events."""

import time

from deeds import agent, pending
from wire import Mismatch, expect, holds


class Stream:
    """One open stream and its lines."""

    def __init__(self, client, **headers):
        self.connection, self.response = client.also(**headers).stream("/events", timeout=6)
        self.status = self.response.status
        self.ids = []
        self.seen = ""

    def until(self, word, seconds=5):
        """Read until an event has this word; its text."""
        deadline, event = time.monotonic() + seconds, ""
        try:
            while time.monotonic() < deadline:
                line = self.response.readline().decode()
                if line == "":
                    break
                self.seen += line
                if line.startswith("id:"):
                    self.ids.append(line[3:].strip())
                if line.strip():
                    event += line
                elif word in event:
                    return event
                else:
                    event = ""
        except OSError:
            pass
        raise Mismatch(f"expected an event with {word!r} within {seconds} s, none came")

    def ended(self, seconds=5):
        """The stream is closed from the other side within so many seconds."""
        deadline = time.monotonic() + seconds
        try:
            while self.response.readline():
                if time.monotonic() > deadline:
                    return False
            return True
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self):
        """Leave."""
        self.response.close()
        self.connection.close()


def telling(walk):
    """What is told."""
    host = walk.host
    person = host.person()
    stream = Stream(person)
    with walk.sentence("events.stream"):
        holds(stream.status == 200, "200", f"{stream.status}")
        kind = stream.response.headers.get("Content-Type") or ""
        holds(kind.startswith("text/event-stream"), "text/event-stream", kind)
    asker = agent(host)
    first = pending(asker, "POST", "/org/tokens", {"name": "told"})["approval_id"]
    with walk.sentence("events.told"):
        stream.until(first)
    with walk.sentence("events.resume"):
        holds(stream.ids, "an id with each event")
        stream.close()
        missed = pending(asker, "POST", "/org/tokens", {"name": "missed"})["approval_id"]
        again = Stream(person, Last_Event_ID=stream.ids[-1])
        again.until(missed)
        holds(first not in again.seen, "only what was missed", again.seen)
        again.close()


def bounds(walk):
    """How many, and how long."""
    host = walk.host
    with walk.sentence("events.four"):
        watcher = agent(host)
        streams = [Stream(watcher) for _ in range(4)]
        for stream in streams:
            holds(stream.status == 200, "200 for four streams", f"{stream.status}")
        fifth = Stream(watcher)
        holds(fifth.status >= 400, "a refusal of the fifth", f"{fifth.status}")
        other = Stream(agent(host))
        holds(other.status == 200, "200 for another credential", f"{other.status}")
        for stream in [*streams, fifth, other]:
            stream.close()
    with walk.sentence("events.closed"):
        watcher = agent(host)
        stream = Stream(watcher)
        holds(stream.status == 200, "200", f"{stream.status}")
        expect(host.person().delete(f"/org/tokens/{watcher.token['id']}"), 200)
        holds(stream.ended(), "the stream closed within 5 s")


SCENES = [telling, bounds]
