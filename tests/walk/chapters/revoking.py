"""Organisation tokens: how they end."""

import json

from deeds import agent, approved, granted, mint, pending, state, token_ids
from wire import equal, expect, holds

TOKENS = "/org/tokens"
GONE = "token not found or already revoked"


def revoke(walk):
    """At once."""
    host = walk.host
    person = host.person()
    with walk.sentence("org-tokens.revoke"):
        victim = agent(host)
        expect(victim.get("/workspaces"), 200)
        equal(expect(person.delete(f"{TOKENS}/{victim.token['id']}"), 200).json, {"revoked": victim.token["id"]}, "answer")
        expect(victim.get("/workspaces"), 401)
    with walk.sentence("org-tokens.revoke-twice"):
        expect(person.delete(f"{TOKENS}/{victim.token['id']}"), 404, error=GONE)
        expect(person.delete(f"{TOKENS}/00000000-0000-4000-8000-000000000000"), 404, error=GONE)


def drain(walk):
    """With some time to finish."""
    host = walk.host
    person = host.person()
    with walk.sentence("org-tokens.drain"):
        victim = agent(host)
        equal(expect(victim.get("/workspaces"), 200).header("X-Token-Draining"), None, "X-Token-Draining before")
        expect(person.delete(f"{TOKENS}/{victim.token['id']}?drain_seconds=2"), 200)
        answers = [victim.get("/workspaces"), victim.get("/audit"), victim.get("/approvals/0197a3f2-6c00-7000-8000-0000000000ff")]
        for answer, status in zip(answers, (200, 403, 404)):
            equal(expect(answer, status).header("X-Token-Draining"), "true", f"X-Token-Draining on {answer}")
    with walk.sentence("org-tokens.drain-ends"):
        holds(answers[0].header("X-Token-Draining"), "a drain that began", str(answers[0]))
        walk.pause(2.3)
        expect(victim.get("/workspaces"), 401)
    with walk.sentence("org-tokens.drain-bound"):
        victim = mint(person)["id"]
        for seconds in ("3601", "-1", "soon"):
            expect(person.delete(f"{TOKENS}/{victim}?drain_seconds={seconds}"), 400)
        holds(victim in token_ids(person), "the token alive")
        expect(person.delete(f"{TOKENS}/{victim}?drain_seconds=3600"), 200)


def descendants(walk):
    """With all that came of it."""
    host = walk.host
    person = host.person()
    root = agent(host)
    child = granted(host, root, "POST", TOKENS, {"name": "child"}).json
    as_child = host.bearer(child["auth_token"])
    grandchild = granted(host, as_child, "POST", TOKENS, {"name": "grandchild"}).json
    waiting = pending(as_child, "POST", TOKENS, {"name": "waiting"})["approval_id"]
    unused = approved(host, as_child, "POST", TOKENS, {"name": "unused"})
    bystander = agent(host)
    answer = person.delete(f"{TOKENS}/{root.token['id']}?descendants=true")
    with walk.sentence("org-tokens.descendants"):
        found = expect(answer, 200).json
        equal(found["revoked"], root.token["id"], "revoked")
        text = json.dumps(found)
        holds(child["id"] in text and grandchild["id"] in text, "child and grandchild in the answer", text)
        for plaintext in (root.token["auth_token"], child["auth_token"], grandchild["auth_token"]):
            expect(host.bearer(plaintext).get("/workspaces"), 401)
        expect(bystander.get("/workspaces"), 200)
    with walk.sentence("org-tokens.descendants-pending"):
        holds(state(host, waiting) != "pending", "the request no longer pending", state(host, waiting))
        expect(host.person("bob").post(f"/approvals/{waiting}/decide", {"decision": "approved"}), 404)
        holds(waiting in answer.text, "it in the answer", answer.text)
    with walk.sentence("org-tokens.descendants-grants"):
        holds(state(host, unused) != "approved", "the grant no longer approved", state(host, unused))
        holds(unused in answer.text, "it in the answer", answer.text)


SCENES = [revoke, drain, descendants]
