"""HTTP as a client of the contract sees it: requests, answers, and exact looks at their shapes."""

import copy
import http.client
import json
from datetime import datetime

NOTHING = type(None)


class Mismatch(Exception):
    """What came is not what the contract says."""


class Unwalkable(Exception):
    """A sentence that cannot be looked at in this run, and why."""


class Answer:
    """One answer, read to its end."""

    def __init__(self, request, response):
        self.request = request
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def header(self, name):
        """The first header of that name, or None."""
        return self.headers.get(name)

    @property
    def text(self):
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        """The body as JSON; anything else is a mismatch."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Mismatch(f"expected JSON, {self} came") from None

    def __str__(self):
        return f"{self.status} {self.text[:300]!r} to {self.request}"


class Client:
    """A caller: an address and the headers that say who it is."""

    def __init__(self, address, headers=None, proof=None, witness=None, timeout=120):
        self.address = address
        self.headers = dict(headers or {})
        self.proof = dict(proof or {})
        self.witness = witness
        self.timeout = timeout

    def also(self, **changes):
        """The same caller with other headers; underscores are hyphens, None takes one away."""
        other = copy.copy(self)
        other.headers, other.proof = dict(self.headers), dict(self.proof)
        for name, value in changes.items():
            header = name.replace("_", "-")
            for kept in (other.headers, other.proof):
                for present in [h for h in kept if h.lower() == header.lower()]:
                    del kept[present]
            if value is not None:
                other.headers[header] = value
        return other

    def ask(self, method, path, json_body=None, raw=None):
        """Send one request on a connection of its own and read the answer."""
        headers = dict(self.headers)
        if method not in ("GET", "HEAD", "OPTIONS"):
            headers = {**self.proof, **headers}
        body = raw.encode() if isinstance(raw, str) else raw
        if json_body is not None:
            body = json.dumps(json_body, ensure_ascii=False).encode()
        if body is not None and "content-type" not in {h.lower() for h in headers}:
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(*self.address, timeout=self.timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = Answer(f"{method} {path}", connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            raise Mismatch(f"no answer to {method} {path}: {error!r}") from None
        finally:
            connection.close()
        if self.witness is not None:
            self.witness.look(answer)
        return answer

    def get(self, path):
        """GET."""
        return self.ask("GET", path)

    def post(self, path, json_body=None, raw=None):
        """POST."""
        return self.ask("POST", path, json_body, raw)

    def put(self, path, json_body=None, raw=None):
        """PUT."""
        return self.ask("PUT", path, json_body, raw)

    def patch(self, path, json_body=None):
        """PATCH."""
        return self.ask("PATCH", path, json_body)

    def delete(self, path):
        """DELETE."""
        return self.ask("DELETE", path)

    def stream(self, path, timeout):
        """Open a stream and hand back connection and response, unread."""
        connection = http.client.HTTPConnection(*self.address, timeout=timeout)
        connection.request("GET", path, headers={"Accept": "text/event-stream", **self.headers})
        return connection, connection.getresponse()


def expect(answer, status, code=None, error=None):
    """The answer has this status, and where given this code and these exact words."""
    allowed = status if isinstance(status, tuple) else (status,)
    if answer.status not in allowed:
        raise Mismatch(f"expected {' or '.join(map(str, allowed))}, {answer} came")
    if code is not None:
        codes = code if isinstance(code, tuple) else (code,)
        if answer.json.get("code") not in codes:
            raise Mismatch(f"expected code {' or '.join(codes)}, {answer} came")
    if error is not None and answer.json.get("error") != error:
        raise Mismatch(f"expected error {error!r}, {answer} came")
    return answer


def equal(found, wanted, what):
    """Two values are the same."""
    if found != wanted:
        raise Mismatch(f"expected {what} {wanted!r}, {found!r} came")


def holds(condition, wanted, came=""):
    """A condition holds; else what was wanted and what came."""
    if not condition:
        raise Mismatch(f"expected {wanted}" + (f", {came} came" if came != "" else ""))


def shape(value, members):
    """An object has these members with these JSON types; a name that ends in ? may be absent."""
    if not isinstance(value, dict):
        raise Mismatch(f"expected an object, {value!r} came")
    for name, kinds in members.items():
        kinds = kinds if isinstance(kinds, tuple) else (kinds,)
        key = name.rstrip("?")
        if key not in value:
            if name.endswith("?"):
                continue
            raise Mismatch(f"expected a member `{key}`, {sorted(value)} came")
        found = value[key]
        if type(found) not in kinds:
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise Mismatch(f"expected `{key}` to be {wanted}, {found!r} came")
    return value


def array(answer, status=200):
    """The answer is a JSON array."""
    found = expect(answer, status).json
    holds(isinstance(found, list), "a JSON array", str(answer))
    return found


def instant(text):
    """A timestamp of RFC 3339, read."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Mismatch(f"expected an RFC 3339 timestamp, {text!r} came") from None
    holds(found.tzinfo is not None, "a timestamp with its zone", repr(text))
    return found


def names_field(answer, field, status=400):
    """A refusal of a request's member names it."""
    expect(answer, status)
    holds(field in answer.text, f"400 that names `{field}`", str(answer))
