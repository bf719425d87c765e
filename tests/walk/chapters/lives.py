"""How long a request and a grant live."""

from datetime import timedelta

import component
from deeds import agent, approved, decide, pending, state
from wire import equal, expect, holds, instant, Unwalkable

TOKENS = "/org/tokens"
SHORT = 60  # the shortest life that the built-in policy takes for either


def by_default(walk):
    """An hour, and a quarter of one."""
    host = walk.host
    asker, bob = agent(host), host.person("bob")
    approval = pending(asker, "POST", TOKENS, {"name": "life"})["approval_id"]
    with walk.sentence("approvals.pending-life"):
        found = bob.get(f"/approvals/{approval}").json
        life = instant(found["expires_at"]) - instant(found["created_at"])
        equal(life, timedelta(hours=1), "life of a pending approval")
    with walk.sentence("approvals.grant-life"):
        decide(bob, approval)
        found = bob.get(f"/approvals/{approval}").json
        ends = [v for k, v in found.items() if "grant" in k and "expires" in k] or [found["expires_at"]]
        life = instant(ends[0]) - instant(found["decided_at"])
        holds(abs(life - timedelta(minutes=15)) < timedelta(seconds=2), "15 minutes", str(life))


def bounded(walk):
    """Settings of the policy, with bounds."""
    with walk.sentence("approvals.lives-bounded"):
        module = component.baseline(walk)
        for name in ("pending_ttl_seconds", "grant_ttl_seconds"):
            for wrong in ("0", "100000000"):
                host = walk.prepare()
                component.install(host, module, f"{name} = {wrong}\n")
                answer = expect(host.start().person().get("/policies"), 200)
                holds(name in str(answer.json.get("problems", answer.text)), f"{name} = {wrong} refused", str(answer))
                host.discard()


def ended(walk):
    """When a life is over: one wait for all."""
    ids = "gate.approval-expired gate.grant-expired approvals.state-expired approvals.state-lapsed lost-answers.grant-life"
    if not walk.options.long:
        raise Unwalkable(f"the shortest life is {SHORT} s: walk with --long for {ids}")
    host = walk.prepare()
    component.install(host, component.baseline(walk), f"pending_ttl_seconds = {SHORT}\ngrant_ttl_seconds = {SHORT}\n")
    host.start()
    asker, keeper, loser = agent(host), agent(host), agent(host)
    waiting = pending(asker, "POST", TOKENS, {"name": "waiting"})["approval_id"]
    grant = approved(host, keeper, "POST", TOKENS, {"name": "granted"})
    used = approved(host, loser, "POST", TOKENS, {"name": "lost"})
    named = loser.also(Approval_Id=used)
    lost = expect(named.post(TOKENS, {"name": "lost"}), 200).json
    walk.pause(SHORT + 2)
    with walk.sentence("approvals.state-expired"):
        equal(state(host, waiting), "expired", "state")
    with walk.sentence("approvals.state-lapsed"):
        equal(state(host, grant), "lapsed", "state")
    with walk.sentence("gate.approval-expired"):
        expect(host.person("bob").post(f"/approvals/{waiting}/decide", {"decision": "approved"}), 404)
        expect(asker.also(Approval_Id=waiting).post(TOKENS, {"name": "waiting"}), 403, "approval_expired")
    with walk.sentence("gate.grant-expired"):
        expect(keeper.also(Approval_Id=grant).post(TOKENS, {"name": "granted"}), 403, "grant_expired")
    with walk.sentence("lost-answers.grant-life"):
        answer = named.post(TOKENS, {"name": "lost"})
        expect(answer, 403, ("grant_used", "grant_expired"))
        expect(host.bearer(lost["auth_token"]).get("/workspaces"), 200)


SCENES = [by_default, bounded, ended]
