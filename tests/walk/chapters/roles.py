"""Roles, bindings, and that nothing mints wider than itself."""

from datetime import datetime, timedelta, timezone

from deeds import agent, approved, granted, workspace
from wire import expect, holds, instant


def roles(walk):
    """What each role does."""
    host = walk.host
    person = host.person()
    place = workspace(person, "place")
    reads = ("/workspaces", f"/workspaces/{place}", f"/workspaces/{place}/secrets", "/approvals/pending")
    with walk.sentence("credentials.reader"):
        reader = agent(host, role="reader")
        for path in reads:
            expect(reader.get(path), 200)
        expect(reader.post("/workspaces", {"name": "no"}), 403)
        expect(reader.patch(f"/workspaces/{place}", {"name": "no"}), 403)
        expect(reader.delete(f"/workspaces/{place}?confirm=true"), 403)
        expect(reader.put(f"/workspaces/{place}/secrets", {"key": "K", "value": "v"}), 403)
        expect(reader.post(f"/workspaces/{place}/tokens"), 403)
        expect(reader.post("/org/tokens", {"name": "no"}), 403)
        expect(reader.delete(f"/org/tokens/{agent(host).token['id']}"), 403)
    with walk.sentence("credentials.editor"):
        editor = agent(host, role="editor")
        for path in reads:
            expect(editor.get(path), 200)
        expect(editor.post("/workspaces", {"name": "yes"}), 201)
        expect(editor.patch(f"/workspaces/{place}", {"name": "renamed"}), 200)
        expect(editor.put(f"/workspaces/{place}/secrets", {"key": "K", "value": "v"}), 202)
        expect(editor.put("/settings/secrets", {"key": "K", "value": "v"}), 202)
        expect(editor.post("/org/tokens", {"name": "no"}), 403)
        expect(editor.delete(f"/org/tokens/{agent(host).token['id']}"), 403)
        expect(editor.post("/org/deprovision", {"confirm": host.plane.slug}), 403)
    with walk.sentence("credentials.admin"):
        admin = agent(host, role="admin")
        expect(admin.get("/org/tokens"), 200)
        expect(admin.post("/org/tokens", {"name": "asked"}), 202)


def binding(walk):
    """A token for one workspace."""
    host = walk.host
    person = host.person()
    mine, other = workspace(person, "mine"), workspace(person, "other")
    bound = agent(host, workspace_id=mine)
    with walk.sentence("credentials.binding"):
        expect(bound.get(f"/workspaces/{mine}"), 200)
        expect(bound.get(f"/workspaces/{mine}/secrets"), 200)
        expect(bound.get(f"/workspaces/{other}"), (403, 404))
        expect(bound.get(f"/workspaces/{other}/secrets"), (403, 404))
        expect(bound.patch(f"/workspaces/{other}", {"name": "taken"}), (403, 404))
        expect(bound.put(f"/workspaces/{other}/secrets", {"key": "K", "value": "v"}), (403, 404))
        expect(bound.put("/settings/secrets", {"key": "K", "value": "v"}), 403)
        expect(bound.get("/settings/secrets"), 403)
    with walk.sentence("credentials.narrower-workspace"):
        expect(bound.post("/org/tokens", {"name": "free"}), 403)
        expect(bound.post("/org/tokens", {"name": "else", "workspace_id": other}), 403)
        expect(bound.post(f"/workspaces/{other}/tokens"), (403, 404))


def narrower(walk):
    """What a token may hand on."""
    host = walk.host
    soon = datetime.now(timezone.utc) + timedelta(hours=1)
    with walk.sentence("credentials.narrower-role"):
        for role in ("editor", "reader"):
            for asked in ("admin", "editor", "reader"):
                expect(agent(host, role=role).post("/org/tokens", {"name": "up", "role": asked}), 403)
        child = granted(host, agent(host, role="admin"), "POST", "/org/tokens", {"name": "down", "role": "reader"})
        reader = host.bearer(expect(child, 200).json["auth_token"])
        expect(reader.post("/workspaces", {"name": "no"}), 403)
    with walk.sentence("credentials.narrower-expiry"):
        short = agent(host, expires_at=soon.isoformat())
        late = (soon + timedelta(hours=1)).isoformat()
        expect(short.post("/org/tokens", {"name": "late", "expires_at": late}), (400, 403))
        body = {"name": "open end"}
        answer = short.post("/org/tokens", body)
        expect(answer, (202, 400, 403))
        if answer.status == 202:
            approved(host, short, "POST", "/org/tokens", body)
            made = expect(short.post("/org/tokens", body), 200).json
            holds(made.get("expires_at") and instant(made["expires_at"]) <= soon, f"an expiry by {soon}", made.get("expires_at"))


SCENES = [roles, binding, narrower]
