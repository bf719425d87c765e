"""The end of a tenant."""

import uuid

from deeds import agent, approved, pending, secret_keys, workspace, workspace_token
from wire import array, equal, expect, holds

PATH = "/org/deprovision"


def the_end(walk):
    """By the slug."""
    host = walk.start()
    person, asker = host.person(), agent(host)
    place = workspace(person, "doomed")
    holder = workspace_token(host, place)
    expect(person.put(f"/workspaces/{place}/secrets", {"key": "OWN", "value": "v"}), 200)
    expect(person.put("/settings/secrets", {"key": "GLOBAL", "value": "v"}), 200)
    with walk.sentence("deprovision.confirm"):
        for body in ({}, {"confirm": ""}, {"confirm": "another"}, {"confirm": True}):
            expect(person.post(PATH, body), 400)
        expect(person.get(f"/workspaces/{place}"), 200)
    waiting = pending(asker, "POST", "/org/tokens", {"name": "never"})["approval_id"]
    approved(host, asker, "POST", PATH, {"confirm": host.plane.slug})
    answer = asker.post(PATH, {"confirm": host.plane.slug})
    with walk.sentence("deprovision.tokens"):
        expect(answer, 200)
        expect(asker.get("/workspaces"), 401)
        expect(holder.get(f"/workspaces/{place}"), 401)
        equal(expect(person.get("/org/tokens"), 200).json["count"], 0, "live tokens")
    with walk.sentence("deprovision.workspaces"):
        expect(person.get(f"/workspaces/{place}"), 404)
        holds(place not in [w["id"] for w in array(person.get("/workspaces"))], "it gone from the list")
    with walk.sentence("deprovision.secrets"):
        equal(secret_keys(person, "/settings/secrets"), [], "global secrets")
    with walk.sentence("deprovision.history"):
        expect(answer, 200)
        text = expect(person.get("/audit?limit=200"), 200).text
        for part in ("doomed", "deprovision", asker.token["id"]):
            holds(part in text, f"{part} in the audit", text[-500:])
        expect(person.get("/audit/verify"), 200)
        expect(person.get(f"/approvals/{waiting}"), 200)


def by_id(walk):
    """By the org id."""
    with walk.sentence("deprovision.org-id"):
        org = str(uuid.uuid4())
        host = walk.start(MOLECULE_ORG_ID=org)
        person = host.person().also(X_Molecule_Org_Id=org)
        expect(person.post(PATH, {"confirm": str(uuid.uuid4())}), 400)
        expect(person.post(PATH, {"confirm": org}), 200)


SCENES = [the_end, by_id]
