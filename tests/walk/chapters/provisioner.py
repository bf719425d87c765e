"""The install path's own secret."""

from deeds import agent, mint, workspace
from wire import expect, holds


def verbs(walk):
    """What it does without a person, and what it does not."""
    host = walk.host
    person, provisioner = host.person(), host.provisioner
    place = workspace(person, "place")
    with walk.sentence("provisioner.workspace-create"):
        expect(provisioner.post("/workspaces", {"name": "installed"}), 201)
    with walk.sentence("provisioner.workspace-token"):
        expect(provisioner.post(f"/workspaces/{place}/tokens"), 201)
    with walk.sentence("provisioner.secret-write"):
        expect(provisioner.put(f"/workspaces/{place}/secrets", {"key": "K", "value": "v"}), 200)
        expect(provisioner.put("/settings/secrets", {"key": "K", "value": "v"}), 200)
    with walk.sentence("provisioner.org-token"):
        expect(provisioner.post("/org/tokens", {"name": "installer"}), 200)
    with walk.sentence("provisioner.nothing-else"):
        victim = mint(person, name="victim")["id"]
        refused = [
            provisioner.delete(f"/org/tokens/{victim}"),
            provisioner.delete(f"/workspaces/{place}?confirm=true"),
            provisioner.patch(f"/workspaces/{place}", {"name": "no"}),
            provisioner.delete(f"/workspaces/{place}/secrets/K"),
            provisioner.get("/audit"),
            provisioner.get("/org/tokens"),
            provisioner.get(f"/workspaces/{place}/secrets/values"),
            provisioner.post("/org/deprovision", {"confirm": host.plane.slug}),
        ]
        for answer in refused:
            expect(answer, 403)
    with walk.sentence("provisioner.audited"):
        expect(provisioner.post("/workspaces", {"name": "installed and audited"}), 201)
        text = expect(person.get("/audit?limit=200"), 200).text
        holds("installed and audited" in text and "provisioner" in text, "an entry of the provisioner's deed", text[-600:])


def wrong(walk):
    """Where it is refused."""
    host = walk.host
    right = host.environment["PROVISION_TOKEN"]
    body = {"name": "refused"}
    with walk.sentence("provisioner.wrong"):
        for token in ("wrong", right + "x", right[:-1], ""):
            expect(host.client(X_Provision_Token=token).post("/workspaces", body), 401)
        unset = walk.start(PROVISION_TOKEN=None)
        for token in ("", right):
            expect(unset.client(X_Provision_Token=token).post("/workspaces", body), 401)
    with walk.sentence("provisioner.beside"):
        expect(host.admin.also(X_Provision_Token=right).post("/workspaces", body), 401)
        expect(agent(host).also(X_Provision_Token=right).post("/workspaces", body), 401)
        expect(host.person().also(X_Provision_Token=right).post("/workspaces", body), 401)
    with walk.sentence("provisioner.admin-token-is-not"):
        expect(host.client(X_Provision_Token=host.admin_token).post("/workspaces", body), 401)
        expect(host.bearer(right).post("/workspaces", body), 401)


SCENES = [verbs, wrong]
