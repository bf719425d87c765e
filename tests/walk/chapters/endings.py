"""The refusals: by policy, after a denial, after a use."""

from deeds import agent, approved, decide, granted, pending
from wire import equal, expect, holds, shape

TOKENS = "/org/tokens"


def by_policy(walk):
    """What policy denies."""
    host = walk.host
    with walk.sentence("gate.denied-by-policy"):
        found = shape(expect(agent(host).get("/audit"), 403, "denied_by_policy").json, {"error": str, "code": str, "rule": str, "policy": str})
        name, _, version = found["policy"].partition("@")
        equal(name, "baseline", "policy")
        equal(len(version.split(".")), 3, "parts of the version")


def after_denial(walk):
    """A person said no."""
    host = walk.host
    asker = agent(host)
    child = host.bearer(granted(host, asker, "POST", TOKENS, {"name": "child"}).json["auth_token"])
    decide(host.person("bob"), pending(asker, "POST", TOKENS, {"name": "no"})["approval_id"], "denied")
    with walk.sentence("gate.approval-denied"):
        expect(asker.post(TOKENS, {"name": "no"}), 403, "approval_denied")
    with walk.sentence("gate.cool-down"):
        expect(asker.post(TOKENS, {"name": "no, too"}), 403)
        expect(child.post(TOKENS, {"name": "no, by my child"}), 403)
        expect(asker.put("/settings/secrets", {"key": "OTHER", "value": "v"}), 202)
    with walk.sentence("gate.cool-down-others"):
        expect(agent(host).post(TOKENS, {"name": "no"}), 202)


def cool_down_ends(walk):
    """A while, made short by its setting."""
    with walk.sentence("gate.cool-down-ends"):
        host = walk.start(**walk.settings.seconds(1, "DENI|COOL"))
        asker = agent(host)
        first = pending(asker, "POST", TOKENS, {"name": "again"})["approval_id"]
        decide(host.person("bob"), first, "denied")
        expect(asker.post(TOKENS, {"name": "again"}), 403)
        walk.pause(1.3)
        holds(pending(asker, "POST", TOKENS, {"name": "again"})["approval_id"] != first, "a new approval")


def after_use(walk):
    """The grant is used up."""
    host = walk.host
    with walk.sentence("gate.grant-used"):
        asker = agent(host)
        grant = approved(host, asker, "PUT", "/settings/secrets", {"key": "USED", "value": "v"})
        named = asker.also(Approval_Id=grant)
        expect(named.put("/settings/secrets", {"key": "USED", "value": "v"}), 200)
        expect(named.put("/settings/secrets", {"key": "USED", "value": "v"}), 403, "grant_used")


SCENES = [by_policy, after_denial, cool_down_ends, after_use]
