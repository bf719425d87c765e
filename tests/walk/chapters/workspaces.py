"""Workspaces."""

import uuid

from deeds import agent, secret_keys, workspace, workspace_token
from wire import array, equal, expect, holds, shape


def life(walk):
    """Made, read, changed."""
    host = walk.host
    person = host.person()
    with walk.sentence("workspaces.create"):
        made = shape(expect(person.post("/workspaces", {"name": "new"}), 201).json, {"id": str, "name": str, "status": str})
        equal((made["name"], made["status"]), ("new", "provisioning"), "name and status")
        uuid.UUID(made["id"])
    with walk.sentence("workspaces.list"):
        found = array(person.get("/workspaces"))
        holds(made["id"] in [w["id"] for w in found], "the new one in the list")
        for each in found:
            shape(each, {"id": str, "name": str, "status": str})
    with walk.sentence("workspaces.read"):
        found = expect(person.get(f"/workspaces/{made['id']}"), 200).json
        equal((found["id"], found["name"]), (made["id"], "new"), "id and name")
        expect(person.get(f"/workspaces/{uuid.uuid4()}"), 404)
    with walk.sentence("workspaces.create-child"):
        child = expect(person.post("/workspaces", {"name": "child", "parent_id": made["id"]}), 201).json
        equal(person.get(f"/workspaces/{child['id']}").json["parent_id"], made["id"], "parent_id")
        holds(400 <= person.post("/workspaces", {"name": "x", "parent_id": str(uuid.uuid4())}).status < 500, "no child of nobody")
    with walk.sentence("workspaces.update"):
        expect(person.patch(f"/workspaces/{made['id']}", {"name": "newer"}), 200)
        equal(person.get(f"/workspaces/{made['id']}").json["name"], "newer", "name")
        equal(person.get(f"/workspaces/{child['id']}").json["parent_id"], made["id"], "parent_id of its child")
        expect(person.patch(f"/workspaces/{uuid.uuid4()}", {"name": "nobody"}), 404)
    with walk.sentence("workspaces.callers"):
        for client in (person, agent(host), host.admin):
            expect(client.get("/workspaces"), 200)
            expect(client.get(f"/workspaces/{made['id']}"), 200)
        expect(workspace_token(host, made["id"]).get(f"/workspaces/{made['id']}"), 200)
        expect(workspace_token(host, made["id"]).get(f"/workspaces/{child['id']}"), (401, 403))
        expect(host.nobody.get("/workspaces"), 401)


def removal(walk):
    """Removed, alone or with what is below."""
    host = walk.host
    person = host.person()
    with walk.sentence("workspaces.delete"):
        alone = workspace(person, "alone")
        equal(expect(person.delete(f"/workspaces/{alone}"), 200).json["status"], "removed", "status")
        expect(person.get(f"/workspaces/{alone}"), 404)
        holds(alone not in [w["id"] for w in array(person.get("/workspaces"))], "it gone from the list")
        expect(person.delete(f"/workspaces/{alone}"), 404)
    top = workspace(person, "top")
    middle = workspace(person, "middle", top)
    low = workspace(person, "low", middle)
    holder = workspace_token(host, low)
    expect(person.put(f"/workspaces/{low}/secrets", {"key": "LOW", "value": "v"}), 200)
    bound = agent(host, workspace_id=low)
    with walk.sentence("workspaces.delete-children"):
        found = shape(expect(person.delete(f"/workspaces/{top}"), 409).json, {"status": str, "children": list, "children_count": int})
        equal(found["status"], "confirmation_required", "status")
        equal(found["children_count"], len(found["children"]), "children_count")
        holds(found["children_count"] >= 1 and middle in str(found["children"]), "the child among the children", found)
        expect(person.get(f"/workspaces/{low}"), 200)
        expect(person.delete(f"/workspaces/{top}?confirm=false"), 409)
    answer = person.delete(f"/workspaces/{top}?confirm=true")
    with walk.sentence("workspaces.delete-confirmed"):
        equal(shape(expect(answer, 200).json, {"status": str})["status"], "removed", "status")
    with walk.sentence("workspaces.descendants"):
        for gone in (top, middle, low):
            expect(person.get(f"/workspaces/{gone}"), 404)
    with walk.sentence("workspaces.tokens-revoked"):
        expect(holder.get(f"/workspaces/{low}"), 401)
        expect(bound.get(f"/workspaces/{low}"), 401)
    with walk.sentence("workspaces.secrets-removed"):
        answer = person.get(f"/workspaces/{low}/secrets")
        holds(answer.status == 404 or "LOW" not in answer.text, "no secret of it", str(answer))
        holds("LOW" not in secret_keys(person, "/settings/secrets"), "no secret of it among the global ones")


SCENES = [life, removal]
