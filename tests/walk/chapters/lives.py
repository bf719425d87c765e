"""How long a request and a grant live."""

import threading
import time
from datetime import datetime, timedelta, timezone

import component
from deeds import agent, approved, decide, pending, state
from wire import Unwalkable, equal, expect, holds, instant

TOKENS = "/org/tokens"
SHORT = 60  # the shortest life that the built-in policy takes for either


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


def timed(ask):
    """An answer, and how long it took."""
    began = time.monotonic()
    return ask(), time.monotonic() - began


def by_default(walk):
    """An hour, and a quarter of one."""
    waits, stands = lives(walk.host)
    with walk.sentence("approvals.pending-life"):
        near(waits, timedelta(hours=1), "a pending life")
    with walk.sentence("approvals.grant-life"):
        near(stands, timedelta(minutes=15), "a grant's life")


def bounded(walk):
    """Settings of the policy, with bounds."""
    with walk.sentence("approvals.lives-bounded"):
        module = component.baseline(walk)
        for settings in ("pending_ttl_seconds = 120\ngrant_ttl_seconds = 90\n", "pending_ttl_seconds = 0\n",
                         "pending_ttl_seconds = 100000000\n", "grant_ttl_seconds = 0\n", "grant_ttl_seconds = 100000000\n"):
            host = walk.prepare()
            component.install(host, module, settings)
            waits, stands = lives(host.start())
            holds(waits <= timedelta(days=90) and stands <= timedelta(days=90), f"bounds against {settings!r}", f"{waits}, {stands}")
            if "120" in settings:
                near(waits, timedelta(seconds=120), "a pending life")
                near(stands, timedelta(seconds=90), "a grant's life")
            host.discard()


def ended(walk):
    """When a life is over: one wait for all."""
    if not walk.options.long:
        raise Unwalkable(f"the shortest life is {SHORT} s: walk with --long")
    host = walk.prepare()
    component.install(host, component.baseline(walk), f"pending_ttl_seconds = {SHORT}\ngrant_ttl_seconds = {SHORT}\n")
    host.start()
    asker, keeper, loser = agent(host), agent(host), agent(host)
    waiting = pending(asker, "POST", TOKENS, {"name": "waiting"})["approval_id"]
    grant = approved(host, keeper, "POST", TOKENS, {"name": "granted"})
    used = approved(host, loser, "POST", TOKENS, {"name": "lost"})
    named = loser.also(Approval_Id=used)
    lost = expect(named.post(TOKENS, {"name": "lost"}), 200).json
    patient = pending(asker, "POST", TOKENS, {"name": "patient"})["approval_id"]
    held = []
    waiter = threading.Thread(target=lambda: held.append(timed(lambda: asker.patiently().get(f"/approvals/{patient}?wait=55"))))
    waiter.start()
    cookie = host.plane.admit("dora")
    expect(host.holder(cookie).get("/workspaces"), 200)
    walk.pause(25)
    with walk.sentence("sessions.yes-30s"):
        expect(host.holder(cookie).get("/workspaces"), 200)
        equal(len(host.plane.checks(cookie)), 1, "number of questions within 30 s")
        walk.pause(6)
        expect(host.holder(cookie).get("/workspaces"), 200)
        equal(len(host.plane.checks(cookie)), 2, "number of questions after 30 s")
    waiter.join()
    with walk.sentence("approvals.wait-55"):
        answer, took = held[0]
        equal(expect(answer, 200).json["status"], "pending", "status")
        holds(54 <= took < 58, "an answer after 55 s", f"{took:.1f} s")
    walk.pause(SHORT - 53)
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
