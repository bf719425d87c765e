"""A workspace's own tokens."""

import uuid

from deeds import workspace
from plaintext import well_formed
from wire import NOTHING, equal, expect, holds, instant, shape


def life(walk):
    """Minted, listed, revoked."""
    host = walk.host
    person = host.person()
    place = workspace(person, "tokens")
    path = f"/workspaces/{place}/tokens"
    made = [expect(person.post(path), 201).json for _ in range(3)]
    with walk.sentence("workspace-tokens.mint-shape"):
        for each in made:
            shape(each, {"auth_token": str, "workspace_id": str, "message": str})
            equal(each["workspace_id"], place, "workspace_id")
    with walk.sentence("workspace-tokens.plaintext"):
        well_formed([each["auth_token"] for each in made], "csw_")
    expect(host.bearer(made[0]["auth_token"]).get(f"/workspaces/{place}"), 200)
    found = expect(person.get(path), 200).json
    with walk.sentence("workspace-tokens.list-shape"):
        shape(found, {"tokens": list, "count": int})
        equal((found["count"], len(found["tokens"])), (3, 3), "count and number")
        for token in found["tokens"]:
            shape(token, {"id": str, "prefix": str, "created_at": str, "last_used_at": (str, NOTHING)})
            instant(token["created_at"])
        equal(sorted(t["prefix"] for t in found["tokens"]), sorted(m["auth_token"][:8] for m in made), "prefixes")
        used = next(t for t in found["tokens"] if made[0]["auth_token"].startswith(t["prefix"]))
        instant(used["last_used_at"])
    with walk.sentence("workspace-tokens.paging"):
        ids = [t["id"] for t in found["tokens"]]
        for offset in range(3):
            page = expect(person.get(f"{path}?limit=1&offset={offset}"), 200).json["tokens"]
            equal([t["id"] for t in page], ids[offset:offset + 1], f"page at {offset}")
        equal(expect(person.get(f"{path}?limit=2&offset=3"), 200).json["tokens"], [], "page beyond the end")
    with walk.sentence("workspace-tokens.limit-200"):
        expect(person.get(f"{path}?limit=200"), 200)
        expect(person.get(f"{path}?limit=201"), (200, 400))
        for wrong in ("limit=many", "limit=-1", "offset=-1"):
            expect(person.get(f"{path}?{wrong}"), 400)
    with walk.sentence("workspace-tokens.revoke"):
        equal(expect(person.delete(f"{path}/{used['id']}"), 200).json["status"], "revoked", "status")
        expect(host.bearer(made[0]["auth_token"]).get(f"/workspaces/{place}"), 401)
        holds(used["id"] not in person.get(path).text, "it gone from the list")
    with walk.sentence("workspace-tokens.revoke-twice"):
        expect(person.delete(f"{path}/{used['id']}"), 404)
        expect(person.delete(f"{path}/{uuid.uuid4()}"), 404)
        elsewhere = workspace(person, "elsewhere")
        other = expect(person.get(path), 200).json["tokens"][0]["id"]
        expect(person.delete(f"/workspaces/{elsewhere}/tokens/{other}"), 404)


def fifty(walk):
    """As many as may live."""
    person = walk.host.person()
    place = workspace(person, "fifty")
    with walk.sentence("workspace-tokens.fifty"):
        for _ in range(50):
            expect(person.post(f"/workspaces/{place}/tokens"), 201)
        expect(person.post(f"/workspaces/{place}/tokens"), 429)
        one = person.get(f"/workspaces/{place}/tokens").json["tokens"][0]["id"]
        expect(person.delete(f"/workspaces/{place}/tokens/{one}"), 200)
        expect(person.post(f"/workspaces/{place}/tokens"), 201)


SCENES = [life, fifty]
