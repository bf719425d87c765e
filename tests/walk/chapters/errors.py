"""Errors: their shape, and what is refused with which status."""

import re
import socket
import uuid

from cut import Cut
from deeds import agent, pending, token_ids, workspace
from wire import equal, expect, holds, names_field, Mismatch

DATASTORE = "platform datastore unavailable — retry shortly"


def shapes(walk):
    """Every refusal has the same shape, and 401 says what would do."""
    host = walk.host
    person, asker = host.person(), agent(host)
    with walk.sentence("errors.unlisted-route"):
        for path in ("/no/such/route", "/org", "/org/tokens/a/b", "/workspaces/x/y/z", "/api/v1/org/tokens"):
            expect(person.get(path), 404)
    refusals = [
        (404, person.get("/no/such/route")),
        (404, person.get(f"/workspaces/{uuid.uuid4()}")),
        (401, host.nobody.get("/org/tokens")),
        (401, host.bearer("wrong").get("/org/tokens")),
        (400, person.post("/org/tokens", raw="{")),
        (403, asker.get("/audit")),
        (403, asker.post(f"/approvals/{uuid.uuid4()}/decide", {"decision": "approved"})),
    ]
    with walk.sentence("errors.shape"):
        for status, answer in refusals:
            expect(answer, status)
            holds("application/json" in (answer.header("Content-Type") or ""), "application/json", str(answer))
            holds(isinstance(answer.json.get("error"), str) and answer.json["error"], "`error`, a text", str(answer))
            holds(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", str(answer.json.get("code"))), "`code` in snake case", str(answer))
    with walk.sentence("errors.unauthorized-names"):
        for answer in (host.nobody.get("/org/tokens"), host.bearer("wrong").get("/workspaces")):
            expect(answer, 401)
            text = answer.json["error"].lower()
            holds("sess" in text or "sign in" in text, "a 401 that names a session or sign-in", str(answer))
            holds("token" in text, "a 401 that names tokens", str(answer))


def bodies(walk):
    """Bodies that are not what a route takes."""
    host = walk.host
    person = host.person()
    with walk.sentence("errors.bad-json"):
        for raw in ("{", "nonsense", '{"name": "a"} b', '{"name": }', b"\xff\xfe", "[1", '"name"', "[]"):
            expect(person.post("/org/tokens", raw=raw), 400)
    with walk.sentence("errors.duplicate-member"):
        names_field(person.post("/org/tokens", raw='{"name":"a","name":"b"}'), "name")
        names_field(person.post("/workspaces", raw='{"name":"a","name":"a"}'), "name")
        names_field(person.put("/settings/secrets", raw='{"key":"K","value":"a","value":"b"}'), "value")
    with walk.sentence("errors.wrong-type"):
        names_field(person.post("/org/tokens", {"name": 1}), "name")
        names_field(person.post("/org/tokens", {"role": ["admin"]}), "role")
        names_field(person.post("/org/tokens", {"expires_at": 7}), "expires_at")
        names_field(person.post("/workspaces", {"name": {}}), "name")
        names_field(person.put("/settings/secrets", {"key": "K", "value": 5}), "value")
    with walk.sentence("errors.unknown-verb"):
        where = workspace(person, "asks")
        names_field(agent(host).post(f"/workspaces/{where}/approvals", {"action": "fly_away", "context": {}}), "action")
    with walk.sentence("errors.long-name"):
        names_field(person.post("/org/tokens", {"name": "n" * 101}), "name")
        names_field(person.post("/workspaces", {"name": "n" * 5000}), "name")
        names_field(person.put("/settings/secrets", {"key": "K" * 129, "value": "v"}), "key")
    with walk.sentence("errors.malformed-uuid"):
        names_field(person.post("/org/tokens", {"workspace_id": "not-a-uuid"}), "workspace_id")
        names_field(person.post("/workspaces", {"name": "a", "parent_id": "1234"}), "parent_id")
        for answer in (person.get("/workspaces/not-a-uuid"), person.get("/approvals/not-a-uuid"), person.delete("/org/tokens/not-a-uuid")):
            names_field(answer, "UUID")
    with walk.sentence("errors.unknown-member"):
        asker = agent(host)
        first = pending(asker, "POST", "/org/tokens", {"name": "plain"})["approval_id"]
        more = {"name": "plain", "created_by": "session:0", "auth_token": "cso_mine", "status": "approved", "quorum": 0}
        equal(pending(asker, "POST", "/org/tokens", more)["approval_id"], first, "the same approval")
        made = expect(person.post("/org/tokens", {"name": "own", "id": str(uuid.uuid4()), "prefix": "cso_zzzz"}), 200).json
        holds(made["prefix"] != "cso_zzzz" and made["id"] in token_ids(person), "members of the host's own", repr(made))


def limits(walk):
    """A body too large, and a Host that is not ours."""
    host = walk.host
    with walk.sentence("errors.body-limit"):
        expect_413(host)
    with walk.sentence("errors.misdirected-host"):
        for name in ("elsewhere.example", f"elsewhere.example:{host.port}", f"127.0.0.1:{host.port + 1}", "127.0.0.1.nip.io"):
            for path in ("/health", "/org/tokens", "/console"):
                expect(host.nobody.also(Host=name).get(path), 421)
    with walk.sentence("errors.known-host"):
        public = walk.start(COUNTERSIGN_PUBLIC_URL="https://walk.example")
        for name in (f"127.0.0.1:{public.port}", "walk.example"):
            expect(public.nobody.also(Host=name).get("/health"), 200)


def expect_413(host):
    """Offer a body of 64 MiB and read what comes before it has all gone."""
    head = f"POST /org/tokens HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\nAuthorization: Bearer {host.admin_token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {64 << 20}\r\n\r\n"
    with socket.create_connection(host.address, timeout=20) as line:
        line.sendall(head.encode())
        try:
            for _ in range(64):
                line.sendall(b" " * (1 << 16))
        except OSError:
            pass
        try:
            first = line.recv(200)
        except OSError as error:
            raise Mismatch(f"expected 413 to a body of 64 MiB, {error!r} came") from None
    holds(b" 413 " in first.split(b"\r\n", 1)[0], "413 to a body of 64 MiB", repr(first))


def datastore(walk):
    """A database that cannot be reached, behind a line that is cut."""
    walk.only_on("postgres")
    cut = Cut(walk.database)
    host = walk.start(database=cut.settings)
    person, asker = host.person(), agent(host)
    expect(person.get("/workspaces"), 200)
    cut.cut()
    answers = [person.get("/workspaces"), asker.post("/org/tokens", {"name": "x"}), host.admin.get("/org/tokens")]
    with walk.sentence("errors.datastore"):
        for answer in answers:
            expect(answer, 503, "platform_unavailable", DATASTORE)
    with walk.sentence("errors.datastore-words"):
        for answer in answers:
            for word in ("sqlx", "postgres", "connection", "pool", "relation", "tcp"):
                holds(word not in answer.text.lower(), f"no `{word}` in the answer", str(answer))
    cut.mend()


SCENES = [shapes, bodies, limits, datastore]
