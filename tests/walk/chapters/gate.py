"""What needs a person: the 202, the grant, and what finds it."""

import uuid

from deeds import agent, approved, decide, granted, pending, token_ids, workspace
from wire import equal, expect, holds, instant, shape

TOKENS = "/org/tokens"
NO_ANCHOR = (
    "no approval anchor for this caller class — set MOLECULE_PLATFORM_WORKSPACE_ID for admin-token callers, "
    "or call via a session / org-token with a valid org"
)


def asking(walk):
    """The answer to what needs a person."""
    host = walk.host
    asker = agent(host)
    before = token_ids(host.person())
    answer = asker.post(TOKENS, {"name": "ci"})
    with walk.sentence("gate.pending-shape"):
        found = shape(expect(answer, 202).json, {
            "status": str, "approval_id": str, "action": str, "reason": str, "expires_at": str, "poll": str, "approve_url": str,
        })
        equal(found["status"], "pending_approval", "status")
        equal(found["action"], "org_token_mint", "action")
        equal(found["poll"], "/approvals/" + found["approval_id"], "poll")
        uuid.UUID(found["approval_id"])
        instant(found["expires_at"])
    with walk.sentence("gate.pending-headers"):
        equal(answer.header("Location"), "/approvals/" + answer.json["approval_id"], "Location")
        holds((answer.header("Retry-After") or "").isdigit(), "Retry-After in seconds", answer.header("Retry-After"))
    with walk.sentence("gate.reason"):
        reason = answer.json["reason"]
        holds("\n" not in reason, "one line", repr(reason))
        holds(reason.startswith("mint organisation token `ci`"), "what is asked", repr(reason))
        holds(reason.endswith(": agents need a person for this"), "why it is gated", repr(reason))
    with walk.sentence("gate.nothing-happened"):
        equal(sorted(token_ids(host.person())), sorted(before), "live tokens")
    with walk.sentence("gate.repeat-pending"):
        for _ in range(2):
            equal(pending(asker, "POST", TOKENS, {"name": "ci"})["approval_id"], answer.json["approval_id"], "approval_id")


def the_grant(walk):
    """What finds a grant, and what does not."""
    host = walk.host
    with walk.sentence("gate.result"):
        made = granted(host, agent(host), "POST", TOKENS, {"name": "result"})
        holds(expect(made, 200).json["id"] in token_ids(host.person()), "the token alive")
    with walk.sentence("gate.formatting"):
        asker = agent(host)
        first = asker.post(TOKENS, raw='{"name":"f","role":"reader"}')
        decide(host.person("bob"), expect(first, 202).json["approval_id"])
        expect(asker.post(TOKENS, raw='\n{ "role" : "reader",\t"name" : "\\u0066" }\n'), 200)
    with walk.sentence("gate.approval-id"):
        asker = agent(host)
        grant = approved(host, asker, "POST", TOKENS, {"name": "named"})
        expect(asker.also(Approval_Id=grant).post(TOKENS, {"name": "named"}), 200)
    with walk.sentence("gate.other-credential"):
        asker, other = agent(host), agent(host)
        grant = approved(host, asker, "POST", TOKENS, {"name": "mine"})
        holds(expect(other.post(TOKENS, {"name": "mine"}), 202).json["approval_id"] != grant, "an approval of its own")
        named = other.also(Approval_Id=grant).post(TOKENS, {"name": "mine"})
        holds(named.status != 200, "no deed by another's grant", str(named))
        expect(asker.post(TOKENS, {"name": "mine"}), 200)
    with walk.sentence("gate.other-body"):
        asker = agent(host)
        grant = approved(host, asker, "POST", TOKENS, {"name": "small", "role": "reader"})
        for body in ({"name": "large", "role": "reader"}, {"name": "small", "role": "admin"}, {"name": "small"},
                     {"name": "small", "role": "reader", "expires_at": "2099-01-01T00:00:00Z"}):
            holds(expect(asker.post(TOKENS, body), 202).json["approval_id"] != grant, "another approval")
            answer = asker.also(Approval_Id=grant).post(TOKENS, body)
            holds(answer.status != 200, "no deed by a grant for another body", str(answer))
    with walk.sentence("gate.once"):
        asker = agent(host)
        grant = approved(host, asker, "POST", TOKENS, {"name": "once"})
        expect(asker.post(TOKENS, {"name": "once"}), 200)
        holds(expect(asker.post(TOKENS, {"name": "once"}), 202).json["approval_id"] != grant, "a new approval")


def crowds(walk):
    """How many may wait."""
    host = walk.host
    with walk.sentence("gate.twenty-pending"):
        asker = agent(host)
        for i in range(20):
            pending(asker, "POST", TOKENS, {"name": f"crowd {i}"})
        expect(asker.post(TOKENS, {"name": "one too many"}), 429)
        expect(asker.post(TOKENS, {"name": "crowd 3"}), 202)
        expect(agent(host).post(TOKENS, {"name": "another lineage"}), 202)
    with walk.sentence("gate.lineage-counts-together"):
        parent = agent(host)
        child = host.bearer(granted(host, parent, "POST", TOKENS, {"name": "child"}).json["auth_token"])
        for i in range(10):
            pending(parent, "POST", TOKENS, {"name": f"parent {i}"})
            pending(child, "POST", TOKENS, {"name": f"child {i}"})
        expect(child.post(TOKENS, {"name": "child 10"}), 429)
        expect(parent.post(TOKENS, {"name": "parent 10"}), 429)


def no_anchor(walk):
    """An anchor that is no UUID."""
    with walk.sentence("gate.no-anchor"):
        host = walk.start(MOLECULE_PLATFORM_WORKSPACE_ID="not-a-uuid")
        expect(host.admin.post(TOKENS, {"name": "nowhere"}), 400, error=NO_ANCHOR)


def moved(walk):
    """What was approved, and then moved."""
    host = walk.host
    person = host.person()
    with walk.sentence("gate.stale-name"):
        stale(host, workspace(person, "before"), lambda path: person.patch(path, {"name": "after"}))
    with walk.sentence("gate.stale-parent"):
        parent = workspace(person, "parent")
        stale(host, workspace(person, "moved"), lambda path: person.patch(path, {"parent_id": parent}))
    with walk.sentence("gate.stale-version"):
        asker, target = agent(host), workspace(person, "versioned")
        move = {"parent_id": workspace(person, "new parent")}
        approved(host, asker, "PATCH", f"/workspaces/{target}", move)
        expect(person.patch(f"/workspaces/{target}", {"name": "versioned anew"}), 200)
        expect(asker.patch(f"/workspaces/{target}", move), 409, "approval_stale")
        secret = f"/workspaces/{target}/secrets"
        expect(person.put(secret, {"key": "K", "value": "old"}), 200)
        approved(host, asker, "DELETE", secret + "/K")
        expect(person.put(secret, {"key": "K", "value": "new"}), 200)
        expect(asker.delete(secret + "/K"), 409, "approval_stale")
    with walk.sentence("gate.stale-descendants"):
        stale(host, workspace(person, "grows"),
              lambda path: person.post("/workspaces", {"name": "late child", "parent_id": path.rsplit("/", 1)[1]}))


def stale(host, target, move):
    """Have a removal approved, move its target, and see that the removal is stale."""
    asker = agent(host)
    path = f"/workspaces/{target}"
    approved(host, asker, "DELETE", path + "?confirm=true")
    expect(move(path), (200, 201))
    expect(asker.delete(path + "?confirm=true"), 409, "approval_stale")
    expect(host.person().get(path), 200)


SCENES = [asking, the_grant, crowds, no_anchor, moved]
