"""The table of verbs, as an agent and as a person meet it."""

import uuid

from deeds import agent, approved, granted, mint, pending, secret_keys, workspace, workspace_token
from wire import equal, expect, holds

SECRET = {"key": "K", "value": "v"}


def tokens(walk):
    """Verbs about tokens."""
    host = walk.host
    person = host.person()
    with walk.sentence("verbs.org-token-mint"):
        equal(pending(agent(host), "POST", "/org/tokens", {})["action"], "org_token_mint", "action")
        equal(pending(host.admin, "POST", "/org/tokens", {})["action"], "org_token_mint", "action")
    with walk.sentence("verbs.org-token-revoke-own"):
        parent = agent(host)
        child = granted(host, parent, "POST", "/org/tokens", {"name": "child"}).json
        expect(parent.delete(f"/org/tokens/{child['id']}"), 200)
        expect(host.bearer(child["auth_token"]).get("/workspaces"), 401)
    with walk.sentence("verbs.org-token-revoke-other"):
        other = mint(person, name="other")["id"]
        equal(pending(agent(host), "DELETE", f"/org/tokens/{other}")["action"], "org_token_revoke", "action")
        holds(other in [t["id"] for t in person.get("/org/tokens").json["tokens"]], "the token alive")
        asker = agent(host)
        approved(host, asker, "DELETE", f"/org/tokens/{other}")
        equal(expect(asker.delete(f"/org/tokens/{other}"), 200).json, {"revoked": other}, "answer")
    place = workspace(person, "tokens")
    with walk.sentence("verbs.workspace-token-mint"):
        equal(pending(agent(host), "POST", f"/workspaces/{place}/tokens")["action"], "workspace_token_mint", "action")
    with walk.sentence("verbs.workspace-token-rotation"):
        old = workspace_token(host, place)
        new = expect(old.post(f"/workspaces/{place}/tokens"), 201).json["auth_token"]
        expect(old.get(f"/workspaces/{place}"), 401)
        expect(host.bearer(new).get(f"/workspaces/{place}"), 200)
    with walk.sentence("verbs.workspace-token-revoke"):
        made = expect(person.post(f"/workspaces/{place}/tokens"), 201).json["auth_token"]
        found = expect(person.get(f"/workspaces/{place}/tokens"), 200).json["tokens"]
        revoked = next(t["id"] for t in found if made.startswith(t["prefix"]))
        expect(agent(host).delete(f"/workspaces/{place}/tokens/{revoked}"), 200)
        expect(host.bearer(made).get(f"/workspaces/{place}"), 401)


def secrets(walk):
    """Verbs about secrets."""
    host = walk.host
    person = host.person()
    place = workspace(person, "secrets")
    own = f"/workspaces/{place}/secrets"
    with walk.sentence("verbs.secret-write"):
        for method, path in (("POST", own), ("PUT", own), ("POST", "/settings/secrets"), ("PUT", "/settings/secrets"), ("POST", "/admin/secrets")):
            equal(pending(agent(host), method, path, SECRET)["action"], "secret_write", f"action of {method} {path}")
        holds("K" not in secret_keys(person, own), "nothing written")
    with walk.sentence("verbs.secret-write-self"):
        selves = [agent(host, workspace_id=place), workspace_token(host, place)]
        for client in selves:
            for method in ("POST", "PUT"):
                answer = expect(client.ask(method, own, SECRET), 403, "denied_by_policy")
                holds("set env or config instead" in answer.text, "`set env or config instead`", str(answer))
    expect(person.put(own, SECRET), 200)
    expect(person.put("/settings/secrets", SECRET), 200)
    with walk.sentence("verbs.secret-delete"):
        for path in (own + "/K", "/settings/secrets/K", "/admin/secrets/K"):
            equal(pending(agent(host), "DELETE", path)["action"], "secret_delete", f"action of {path}")
        holds("K" in secret_keys(person, own), "nothing deleted")
    with walk.sentence("verbs.secret-list"):
        for path in (own, "/settings/secrets", "/admin/secrets"):
            holds("K" in secret_keys(agent(host), path), f"K in {path}")
    with walk.sentence("verbs.secret-values"):
        equal(expect(workspace_token(host, place).get(own + "/values"), 200).json, {"K": "v"}, "values")
        for client in (person, agent(host), agent(host, workspace_id=place), host.admin):
            expect(client.get(own + "/values"), 403)


def workspaces(walk):
    """Verbs about workspaces."""
    host = walk.host
    person = host.person()
    asker = agent(host)
    with walk.sentence("verbs.workspace-create"):
        made = expect(asker.post("/workspaces", {"name": "by an agent"}), 201).json["id"]
    with walk.sentence("verbs.workspace-update"):
        expect(asker.patch(f"/workspaces/{made}", {"name": "renamed"}), 200)
    with walk.sentence("verbs.workspace-move"):
        other = workspace(person, "new parent")
        equal(pending(asker, "PATCH", f"/workspaces/{made}", {"parent_id": other})["action"], "workspace_update", "action")
        holds(person.get(f"/workspaces/{made}").json.get("parent_id") in (None, ""), "it has not moved")
    with walk.sentence("verbs.delete-workspace"):
        equal(pending(asker, "DELETE", f"/workspaces/{made}?confirm=true")["action"], "delete_workspace", "action")
        expect(person.get(f"/workspaces/{made}"), 200)
    with walk.sentence("verbs.deprovision"):
        equal(pending(asker, "POST", "/org/deprovision", {"confirm": host.plane.slug})["action"], "deprovision", "action")


def anchor(walk):
    """The workspace of admin-token callers."""
    org = str(uuid.uuid4())
    host = walk.start(MOLECULE_ORG_ID=org)
    person = host.person().also(X_Molecule_Org_Id=org)
    own = str(uuid.uuid5(uuid.UUID(org), "molecule-platform-agent"))
    with walk.sentence("verbs.anchor-stays"):
        expect(person.get(f"/workspaces/{own}"), 200)
        other = workspace(person, "other")
        for answer in (person.delete(f"/workspaces/{own}?confirm=true"), person.patch(f"/workspaces/{own}", {"parent_id": other})):
            holds(400 <= answer.status < 500, "a refusal", str(answer))
        expect(person.get(f"/workspaces/{own}"), 200)


def reading(walk):
    """Verbs that read."""
    host = walk.host
    place = workspace(host.person(), "read")
    with walk.sentence("verbs.reads"):
        for path in ("/org/tokens", "/workspaces", f"/workspaces/{place}", "/approvals/pending", "/policies"):
            expect(agent(host).get(path), 200)
    with walk.sentence("verbs.people-only"):
        for path in ("/audit", "/audit/verify", "/decisions", f"/decisions/{uuid.uuid4()}"):
            for client in (agent(host), host.admin):
                expect(client.get(path), 403)
            holds(host.person().get(path).status != 403, f"{path} open to people")
    with walk.sentence("verbs.policy"):
        for client in (agent(host), host.admin):
            expect(client.put("/policies/baseline", raw=b"no component"), 403)
            expect(client.post("/policies/generations", {"modules": []}), 403)
            expect(client.post("/policies/rollback", {"generation": 1}), 403)


def people(walk):
    """A person does at once what an agent asks for."""
    host = walk.host
    person = host.person()
    with walk.sentence("verbs.people-pass"):
        place = workspace(person, "person's")
        made = expect(person.post("/org/tokens", {"name": "+ New Key"}), 200).json["id"]
        expect(person.put(f"/workspaces/{place}/secrets", SECRET), 200)
        expect(person.delete(f"/workspaces/{place}/secrets/K"), 200)
        expect(person.post(f"/workspaces/{place}/tokens"), 201)
        expect(person.patch(f"/workspaces/{place}", {"parent_id": workspace(person, "parent")}), 200)
        expect(person.delete(f"/workspaces/{place}?confirm=true"), 200)
        expect(person.delete(f"/org/tokens/{made}"), 200)


SCENES = [tokens, secrets, workspaces, anchor, reading, people]
