"""Approvals: deciding them."""

import uuid

from deeds import agent, decide, pending, state, workspace, workspace_token
from wire import Unwalkable, equal, expect, holds

TOKENS = "/org/tokens"
DECIDED = "approval not found or already decided"


def ask(host, name="decide"):
    """A fresh request of a fresh agent: the agent and the approval's id."""
    asker = agent(host)
    return asker, pending(asker, "POST", TOKENS, {"name": name})["approval_id"]


def words(walk):
    """What a person says."""
    host = walk.host
    bob = host.person("bob")
    asker, approval = ask(host)
    with walk.sentence("approvals.state-pending"):
        equal(state(host, approval), "pending", "state")
    with walk.sentence("approvals.decide-word"):
        for word in ("approve", "yes", "", "APPROVED", None, 1, True):
            expect(bob.post(f"/approvals/{approval}/decide", {"decision": word}), 400)
        expect(bob.post(f"/approvals/{approval}/decide", {}), 400)
        equal(state(host, approval), "pending", "state")
    with walk.sentence("approvals.get-never-decides"):
        for path in (f"/approvals/{approval}/decide?decision=approved", f"/approvals/{approval}?decision=approved", f"/console/approvals/{approval}"):
            bob.get(path)
        equal(state(host, approval), "pending", "state")
    with walk.sentence("approvals.decide"):
        answer = bob.post(f"/approvals/{approval}/decide", {"decision": "approved", "reason": "as agreed"})
        equal(expect(answer, 200).json, {**answer.json, "status": "approved", "approval_id": approval}, "status and approval_id")
    with walk.sentence("approvals.state-approved"):
        equal(state(host, approval), "approved", "state")
    with walk.sentence("approvals.decide-twice"):
        for word in ("approved", "denied"):
            expect(bob.post(f"/approvals/{approval}/decide", {"decision": word}), 404, error=DECIDED)
        equal(state(host, approval), "approved", "state")
    with walk.sentence("approvals.state-used"):
        expect(asker.post(TOKENS, {"name": "decide"}), 200)
        equal(state(host, approval), "used", "state")
    with walk.sentence("approvals.decide-denied"):
        _, refused = ask(host)
        equal(decide(bob, refused, "denied")["status"], "denied", "status")
    with walk.sentence("approvals.state-denied"):
        equal(state(host, refused), "denied", "state")
    with walk.sentence("approvals.decide-unknown"):
        expect(bob.post(f"/approvals/{uuid.uuid4()}/decide", {"decision": "approved"}), 404, error=DECIDED)


def of_workspace(walk):
    """The same under its workspace."""
    host = walk.host
    bob = host.person("bob")
    with walk.sentence("approvals.decide-workspace"):
        _, approval = ask(host)
        place = host.person().get(f"/approvals/{approval}").json["workspace_id"]
        elsewhere = workspace(host.person(), "elsewhere")
        expect(bob.post(f"/workspaces/{elsewhere}/approvals/{approval}/decide", {"decision": "approved"}), 404, error=DECIDED)
        answer = expect(bob.post(f"/workspaces/{place}/approvals/{approval}/decide", {"decision": "approved"}), 200)
        equal((answer.json["status"], answer.json["approval_id"]), ("approved", approval), "status and approval_id")


def body(walk):
    """What else the body says."""
    host = walk.host
    bob = host.person("bob")
    with walk.sentence("approvals.decide-body-name"):
        _, approval = ask(host)
        decide(bob, approval, decided_by="somebody important")
        text = host.person().get(f"/approvals/{approval}").text
        holds("somebody important" not in text and "bob" in text, "bob, and not the name in the body", text)
        holds("somebody important" not in host.person().get("/audit?limit=200").text, "no such name in the audit")
    with walk.sentence("approvals.decide-digest"):
        _, approval = ask(host)
        for digest in ("0" * 64, "", "nonsense"):
            answer = bob.post(f"/approvals/{approval}/decide", {"decision": "approved", "digest": digest})
            holds(400 <= answer.status < 500, "a refusal", str(answer))
        equal(state(host, approval), "pending", "state")
    with walk.sentence("approvals.decide-right-digest"):
        decide(bob, approval, digest=bob.get(f"/approvals/{approval}").json["digest"])


def who(walk):
    """Who decides, and who does not."""
    host = walk.host
    _, approval = ask(host)
    place = workspace(host.person(), "who")
    path = f"/approvals/{approval}/decide"
    with walk.sentence("approvals.not-human"):
        for client in (agent(host), host.admin, workspace_token(host, place), host.admin.also(Cookie="cp_session=forged")):
            for word in ("approved", "denied"):
                answer = client.post(path, {"decision": word, "decided_by": "alice"})
                expect(answer, 403, "approver_must_be_human")
        holds(host.provisioner.post(path, {"decision": "approved"}).status in (401, 403), "no deciding by the provisioner")
        expect(host.nobody.post(path, {"decision": "approved"}), (401, 403))
        equal(state(host, approval), "pending", "state")


def requester(walk):
    """A person who asked does not decide."""
    host = walk.host
    place = workspace(host.person(), "own request")
    with walk.sentence("approvals.requester"):
        alice = host.person("alice")
        answer = alice.post(f"/workspaces/{place}/approvals", {"action": "org_token_mint", "context": {"name": "asked by alice"}})
        if answer.status in (400, 403, 409):
            raise Unwalkable(f"a person who is not gated asks for nothing: {answer}")
        approval = expect(answer, 201).json["approval_id"]
        for client in (alice, host.person("alice")):
            expect(client.post(f"/approvals/{approval}/decide", {"decision": "approved"}), 403, "requester_cannot_approve")
        decide(host.person("bob"), approval)


SCENES = [words, of_workspace, body, who, requester]
