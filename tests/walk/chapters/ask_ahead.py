"""Asking ahead."""

from deeds import agent, decide, pending, state, workspace
from wire import equal, expect, holds, shape


def asking(walk):
    """What an agent asks before it needs it."""
    host = walk.host
    person = host.person()
    place = workspace(person, "ahead")
    path = f"/workspaces/{place}/approvals"
    asker = agent(host)
    mint = {"name": "ahead", "role": "reader"}
    answer = asker.post(path, {"action": "org_token_mint", "context": mint, "reason": "so that I need not wait", "task_id": "task-7"})
    with walk.sentence("ask-ahead.shape"):
        found = shape(expect(answer, 201).json, {"approval_id": str, "status": str})
        equal(found["status"], "pending", "status")
        equal(state(host, found["approval_id"]), "pending", "state")
    with walk.sentence("ask-ahead.claim"):
        shown = person.get(f"/approvals/{found['approval_id']}").json
        holds("so that I need not wait" not in shown["reason"], "the host's own reason", shown["reason"])
        holds("so that I need not wait" in str(shown), "the claim beside it", shown)
    with walk.sentence("ask-ahead.same-as-route"):
        equal(pending(asker, "POST", "/org/tokens", mint)["approval_id"], found["approval_id"], "approval_id")
    with walk.sentence("ask-ahead.used"):
        decide(host.person("bob"), found["approval_id"])
        expect(asker.post("/org/tokens", mint), 200)
        equal(state(host, found["approval_id"]), "used", "state")
    with walk.sentence("ask-ahead.members"):
        expect(agent(host).post(path, {"action": "org_token_mint"}), 201)


def judging(walk):
    """What it must be."""
    host = walk.host
    person = host.person()
    place = workspace(person, "judged")
    path = f"/workspaces/{place}/approvals"
    with walk.sentence("ask-ahead.action"):
        for action in ("fly_away", "", "org-token-mint", 7, None):
            expect(agent(host).post(path, {"action": action, "context": {}}), 400)
        expect(agent(host).post(path, {"context": {}}), 400)
    with walk.sentence("ask-ahead.context"):
        for action, context in (("org_token_mint", {"name": 7}), ("org_token_mint", {"role": "owner"}), ("org_token_mint", "text"),
                                ("secret_write", {"workspace_id": place, "key": "1A", "value": "v"}), ("secret_write", {"workspace_id": place, "key": "K"}),
                                ("secret_write", {"key": "K", "value": "v"})):
            expect(agent(host).post(path, {"action": action, "context": context}), 400)
    with walk.sentence("ask-ahead.judged"):
        bound = agent(host, workspace_id=place)
        expect(bound.post(path, {"action": "secret_write", "context": {"workspace_id": place, "key": "SELF", "value": "v"}}), 403, "denied_by_policy")
        expect(agent(host).post(path, {"action": "audit_read", "context": {}}), (400, 403))
    with walk.sentence("ask-ahead.committed"):
        asker = agent(host)
        secret = {"key": "K", "value": "the value asked ahead"}
        approval = expect(asker.post(path, {"action": "secret_write", "context": {"workspace_id": place, **secret}}), 201).json["approval_id"]
        for shown in (person.get(f"/approvals/{approval}"), person.get("/audit?limit=200")):
            holds("the value asked ahead" not in expect(shown, 200).text, "no value", str(shown))
        decide(host.person("bob"), approval)
        expect(asker.put(f"/workspaces/{place}/secrets", {**secret, "value": "another"}), 202)
        expect(asker.put(f"/workspaces/{place}/secrets", secret), 200)


SCENES = [asking, judging]
