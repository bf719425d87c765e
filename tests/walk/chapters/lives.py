"""How long a request and a grant live."""

from datetime import datetime, timedelta, timezone

import component
from chapters.configuration import check, refused
from deeds import agent, approved, decide, pending, state
from wire import equal, expect, holds, instant

TOKENS = "/org/tokens"
PENDING, GRANT = "COUNTERSIGN_PENDING_SECONDS", "COUNTERSIGN_GRANT_SECONDS"
SHORTEST = {PENDING: "30", GRANT: "10"}  # as `--help` has them


def lives(host):
    """How long a pending approval and a grant live at this host."""
    bob = host.person("bob")
    approval = pending(agent(host), "POST", TOKENS, {"name": "life"})["approval_id"]
    found = expect(bob.get(f"/approvals/{approval}"), 200).json
    waits = instant(found["expires_at"]) - instant(found["created_at"])
    before = datetime.now(timezone.utc)
    decide(bob, approval)
    found = expect(bob.get(f"/approvals/{approval}"), 200).json
    ends = [v for k, v in found.items() if "grant" in k and "expires" in k] or [found["expires_at"]]
    return waits, instant(ends[0]) - before


def near(found, wanted, what):
    """A length of time is as wanted, within two seconds."""
    holds(abs(found - wanted) < timedelta(seconds=2), f"{what} of {wanted}", str(found))


def by_default(walk):
    """An hour, and a quarter of one."""
    waits, stands = lives(walk.host)
    with walk.sentence("approvals.pending-life"):
        near(waits, timedelta(hours=1), "a pending life")
    with walk.sentence("approvals.grant-life"):
        near(stands, timedelta(minutes=15), "a grant's life")


def bounded(walk):
    """Settings of the host and of the policy, with bounds."""
    with walk.sentence("approvals.lives-bounded"):
        host = walk.prepare()
        for name, wrong in ((PENDING, ("29", "604801", "0", "-1", "soon")), (GRANT, ("9", "86401", "0"))):
            for value in wrong:
                refused(host, name, **{name: value})
        equal(check(host, **SHORTEST)[0], 0, "exit code for the shortest lives")
        module = component.baseline(walk)
        lengths = {}
        for pending_ttl, grant_ttl in ((120, 90), (0, 0), (100000000, 100000000)):
            host = walk.prepare()
            component.install(host, module, f"pending_ttl_seconds = {pending_ttl}\ngrant_ttl_seconds = {grant_ttl}\n")
            waits, stands = lengths[pending_ttl] = lives(host.start())
            holds(waits <= timedelta(days=90) and stands <= timedelta(days=90), f"bounds against {pending_ttl} s", f"{waits}, {stands}")
            host.discard()
        near(lengths[120][0], timedelta(seconds=120), "a pending life")
        near(lengths[120][1], timedelta(seconds=90), "a grant's life")


def ended(walk):
    """When a life is over: one wait for all."""
    host = walk.start(**SHORTEST)
    bob, asker, keeper, loser = host.person("bob"), agent(host), agent(host), agent(host)
    waiting = pending(asker, "POST", TOKENS, {"name": "waiting"})["approval_id"]
    grant = approved(host, keeper, "POST", TOKENS, {"name": "granted"})
    used = approved(host, loser, "POST", TOKENS, {"name": "lost"})
    named = loser.also(Approval_Id=used)
    lost = expect(named.post(TOKENS, {"name": "lost"}), 200).json
    walk.pause(11)
    with walk.sentence("approvals.state-lapsed"):
        equal(state(host, grant), "lapsed", "state")
    with walk.sentence("gate.grant-expired"):
        expect(keeper.also(Approval_Id=grant).post(TOKENS, {"name": "granted"}), 403, "grant_expired")
    with walk.sentence("lost-answers.grant-life"):
        answer = named.post(TOKENS, {"name": "lost"})
        expect(answer, 403, ("grant_used", "grant_expired"))
        expect(host.bearer(lost["auth_token"]).get("/workspaces"), 200)
    walk.pause(20)
    with walk.sentence("approvals.state-expired"):
        equal(state(host, waiting), "expired", "state")
    with walk.sentence("gate.approval-expired"):
        expect(bob.post(f"/approvals/{waiting}/decide", {"decision": "approved"}), 404)
        expect(asker.also(Approval_Id=waiting).post(TOKENS, {"name": "waiting"}), 403, "approval_expired")


SCENES = [by_default, bounded, ended]
