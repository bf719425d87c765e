"""Approvals: taking back a request, and taking back a grant."""

from deeds import agent, approved, decide, pending, state
from wire import equal, expect, holds

TOKENS = "/org/tokens"


def place_of(host, approval):
    """The workspace under which an approval is filed."""
    return host.person().get(f"/approvals/{approval}").json["workspace_id"]


def withdraw(walk):
    """The requester thinks better of it."""
    host = walk.host
    asker = agent(host)
    approval = pending(asker, "POST", TOKENS, {"name": "withdrawn"})["approval_id"]
    path = f"/workspaces/{place_of(host, approval)}/approvals/{approval}/withdraw"
    with walk.sentence("approvals.withdraw-others"):
        for client in (agent(host), host.admin, host.person()):
            expect(client.post(path), 403)
        equal(state(host, approval), "pending", "state")
    with walk.sentence("approvals.withdraw"):
        expect(asker.post(path), 200)
        expect(host.person("bob").post(f"/approvals/{approval}/decide", {"decision": "approved"}), 404)
        holds(pending(asker, "POST", TOKENS, {"name": "withdrawn"})["approval_id"] != approval, "a new approval at the next request")
    with walk.sentence("approvals.state-withdrawn"):
        equal(state(host, approval), "withdrawn", "state")
    with walk.sentence("approvals.withdraw-decided"):
        expect(asker.post(path), 409)
        granted = approved(host, asker, "POST", TOKENS, {"name": "granted"})
        expect(asker.post(f"/workspaces/{place_of(host, granted)}/approvals/{granted}/withdraw"), 409)


def revoke(walk):
    """A person thinks better of it."""
    host = walk.host
    asker, bob = agent(host), host.person("bob")
    grant = approved(host, asker, "POST", TOKENS, {"name": "revoked"})
    with walk.sentence("approvals.revoke-not-human"):
        for client in (asker, agent(host), host.admin):
            expect(client.post(f"/approvals/{grant}/revoke"), 403)
        equal(state(host, grant), "approved", "state")
    with walk.sentence("approvals.revoke"):
        expect(bob.post(f"/approvals/{grant}/revoke"), 200)
        for client in (asker, asker.also(Approval_Id=grant)):
            answer = client.post(TOKENS, {"name": "revoked"})
            holds(answer.status != 200, "no deed by a revoked grant", str(answer))
    with walk.sentence("approvals.state-revoked"):
        equal(state(host, grant), "revoked", "state")
    with walk.sentence("approvals.revoke-not-approved"):
        other = agent(host)
        waiting = pending(other, "POST", TOKENS, {"name": "pending"})["approval_id"]
        used = approved(host, other, "POST", TOKENS, {"name": "used"})
        expect(other.post(TOKENS, {"name": "used"}), 200)
        for approval, was in ((waiting, "pending"), (used, "used"), (grant, "revoked")):
            answer = expect(bob.post(f"/approvals/{approval}/revoke"), (404, 409))
            holds("no such route" not in answer.text, "a refusal of the approval", str(answer))
            equal(state(host, approval), was, "state")
        decide(bob, waiting)


SCENES = [withdraw, revoke]
