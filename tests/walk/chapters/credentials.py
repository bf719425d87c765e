"""Bearers: which are credentials, and what a wrong one gets."""

import uuid

import console
from deeds import agent, pending, workspace, workspace_token
from wire import equal, expect, holds


def bearers(walk):
    """The bearers that work."""
    host = walk.host
    with walk.sentence("credentials.org-token"):
        expect(agent(host).get("/workspaces"), 200)
    with walk.sentence("credentials.last-used"):
        fresh = agent(host)
        listed = {t["id"]: t for t in host.person().get("/org/tokens").json["tokens"]}
        holds(not listed[fresh.token["id"]].get("last_used_at"), "no last_used_at before the first use")
        expect(fresh.get("/workspaces"), 200)
        listed = {t["id"]: t for t in host.person().get("/org/tokens").json["tokens"]}
        holds(listed[fresh.token["id"]].get("last_used_at"), "last_used_at after the first use", listed[fresh.token["id"]])
    with walk.sentence("credentials.admin-token"):
        expect(host.admin.get("/org/tokens"), 200)
        expect(host.bearer(host.admin_token + "x").get("/org/tokens"), 401)
        expect(host.bearer(host.admin_token[:-1]).get("/org/tokens"), 401)
    with walk.sentence("credentials.workspace-token"):
        own = workspace(host.person(), "own")
        holder = workspace_token(host, own)
        for path in ("", "/secrets", "/secrets/values", "/tokens", "/approvals"):
            expect(holder.get(f"/workspaces/{own}{path}"), 200)
    with walk.sentence("credentials.workspace-token-elsewhere"):
        other = workspace(host.person(), "other")
        for path in ("", "/secrets", "/secrets/values", "/tokens"):
            expect(holder.get(f"/workspaces/{other}{path}"), (401, 403))
        for path in ("/org/tokens", "/settings/secrets", "/admin/secrets"):
            expect(holder.get(path), (401, 403))
        expect(holder.post("/org/tokens", {"name": "x"}), (401, 403))
        expect(holder.post("/workspaces", {"name": "x"}), (401, 403))


def admin_anchor(walk):
    """The admin token acts from the anchor."""
    anchor = str(uuid.uuid4())
    host = walk.start(MOLECULE_PLATFORM_WORKSPACE_ID=anchor)
    with walk.sentence("credentials.admin-anchor"):
        approval = pending(host.admin, "POST", "/org/tokens", {"name": "x"})["approval_id"]
        equal(host.admin.get(f"/approvals/{approval}").json["workspace_id"], anchor, "workspace_id")
        answer = host.admin.put(f"/workspaces/{anchor}/secrets", {"key": "SELF", "value": "v"})
        expect(answer, 403, "denied_by_policy")


def failures(walk):
    """What a wrong bearer gets, alone and beside a session."""
    host = walk.host
    person = host.person()
    revoked = agent(host)
    expect(person.delete(f"/org/tokens/{revoked.token['id']}"), 200)
    with walk.sentence("credentials.wrong-bearer"):
        for bearer in ("wrong", revoked.token["auth_token"], "", "cso_" + "A" * 49):
            expect(host.bearer(bearer).get("/org/tokens"), 401)
        expect(host.client(Authorization="Basic YTpi").get("/org/tokens"), 401)
        expect(host.bearer("wrong").get("/workspaces"), 401)
    with walk.sentence("credentials.wrong-bearer-session"):
        for bearer in ("wrong", revoked.token["auth_token"]):
            both = person.also(Authorization=f"Bearer {bearer}")
            expect(both.get("/org/tokens"), 200)
            expect(both.post("/org/tokens", {"name": "both"}), 200)
    with walk.sentence("credentials.failures-alike"):
        place = workspace(person, "gone")
        gone = workspace_token(host, place)
        expect(person.delete(f"/workspaces/{place}?confirm=true"), 200)
        kinds = ["wrong", revoked.token["auth_token"], "cso_" + "A" * 49, gone.plaintext, "csw_" + "A" * 49, host.admin_token + "x"]
        answers = [host.bearer(kind).get("/org/tokens") for kind in kinds]
        first = answers[0]
        for answer in answers[1:]:
            equal((answer.status, answer.text), (first.status, first.text), f"the answer {first}, byte for byte:")
            changing = {"x-request-id", "date", "x-ratelimit-remaining", "x-ratelimit-reset"}
            equal({k.lower(): v for k, v in answer.headers.items() if k.lower() not in changing},
                  {k.lower(): v for k, v in first.headers.items() if k.lower() not in changing}, "headers")


def cookie_and_bearer(walk):
    """A cookie that does not verify makes nothing better or worse."""
    host = walk.host
    with walk.sentence("credentials.cookie-and-bearer"):
        asker = agent(host)
        for cookie in ("cp_session=forged", "session=alice", "cp_session="):
            both = asker.also(Cookie=cookie)
            expect(both.get("/workspaces"), 200)
            expect(both.post("/org/tokens", {"name": "gated"}), 202)
            expect(both.also(Sec_Fetch_Site="same-origin", X_User_Id="alice").post("/org/tokens", {"name": "gated"}), 202)
        host.plane.stop()
        expect(asker.also(Cookie="cp_session=down").post("/org/tokens", {"name": "gated"}), 202)


def two_proofs(walk):
    """An operator's session and somebody else's cookie on one request."""
    with walk.sentence("credentials.two-proofs"):
        host = walk.prepare()
        control_plane = {k: host.environment.pop(k) for k in ("CP_UPSTREAM_URL", "MOLECULE_ORG_SLUG")}
        operator = console.sign_in(host.start())
        host.stop()
        host.environment |= control_plane
        host.start()
        expect(operator.get("/org/tokens"), 200)
        alice = host.plane.admit("alice")
        expect(host.holder(alice).get("/org/tokens"), 200)
        expect(host.holder(f"{operator.headers['Cookie']}; {alice}").get("/org/tokens"), 401)


def nothing_configured(walk):
    """A host without any credential."""
    host = walk.start(ADMIN_TOKEN=None, PROVISION_TOKEN=None, CP_UPSTREAM_URL=None, MOLECULE_ORG_SLUG=None)
    with walk.sentence("credentials.nothing-open"):
        for path in ("/org/tokens", "/workspaces", "/approvals/pending", "/settings/secrets", "/policies", "/audit", "/decisions"):
            expect(host.nobody.get(path), 401)
        expect(host.nobody.post("/org/tokens", {"name": "x"}), (401, 403))
        expect(host.nobody.post("/workspaces", {"name": "x"}), (401, 403))
        expect(host.nobody.get(console.link(host)), 200)


SCENES = [bearers, admin_anchor, failures, two_proofs, nothing_configured, cookie_and_bearer]
