"""Organisation tokens: minting and listing."""

from datetime import datetime, timedelta, timezone
from hashlib import sha256

from deeds import agent, granted, mint, token_ids, workspace
from plaintext import well_formed
from wire import equal, expect, holds, instant, shape

TOKENS = "/org/tokens"
WARNING = "copy this token now; it will not be shown again"
LISTED = {
    "id": str, "prefix": str, "name?": str, "org_id?": str, "created_by": str, "created_at": str,
    "last_used_at?": str, "expires_at?": str, "role": str, "workspace_id?": str,
}


def listed(host, token_id):
    """One token as the list shows it."""
    found = {t["id"]: t for t in expect(host.person().get(TOKENS), 200).json["tokens"]}
    holds(token_id in found, f"{token_id} in the list", list(found))
    return found[token_id]


def listing(walk):
    """The list."""
    host = walk.start()
    person = host.person()
    with walk.sentence("org-tokens.list-shape"):
        equal(expect(person.get(TOKENS), 200).json, {"tokens": [], "count": 0}, "the empty list")
    place = workspace(person, "place")
    late = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()
    mint(person)
    mint(person, name="full", role="reader", workspace_id=place, expires_at=late)
    expect(agent(host).get("/workspaces"), 200)
    gone = mint(person, name="gone")["id"]
    expect(person.delete(f"{TOKENS}/{gone}"), 200)
    found = expect(person.get(TOKENS), 200).json
    with walk.sentence("org-tokens.list-shape"):
        shape(found, {"tokens": list, "count": int})
        equal(found["count"], len(found["tokens"]), "count")
        for token in found["tokens"]:
            shape(token, LISTED)
            equal(len(token["prefix"]), 8, "length of prefix")
            for member in ("created_at", "last_used_at", "expires_at"):
                if member in token:
                    instant(token[member])
    with walk.sentence("org-tokens.list-live"):
        holds(gone not in [t["id"] for t in found["tokens"]], "no revoked token")
        equal(found["count"], 3, "count")
    with walk.sentence("org-tokens.list-newest"):
        times = [instant(t["created_at"]) for t in found["tokens"]]
        equal(times, sorted(times, reverse=True), "order")
        equal([t.get("name") for t in found["tokens"]], ["agent", "full", None], "names, newest first")
    with walk.sentence("org-tokens.callers"):
        for client in (person, agent(host), host.admin):
            expect(client.get(TOKENS), 200)
        for client in (host.nobody, host.bearer("wrong")):
            expect(client.get(TOKENS), 401)
        for role in ("editor", "reader"):
            expect(agent(host, role=role).post(TOKENS, {"name": "no"}), 403)


def minting(walk):
    """The mint."""
    host = walk.host
    person = host.person()
    late = (datetime.now(timezone.utc) + timedelta(days=1)).replace(microsecond=0)
    with walk.sentence("org-tokens.mint-shape"):
        made = shape(expect(person.post(TOKENS, {"name": "ci", "expires_at": late.isoformat()}), 200).json, {
            "id": str, "prefix": str, "name": str, "auth_token": str, "warning": str, "expires_at": str,
        })
        equal(made["warning"], WARNING, "warning")
        equal(made["name"], "ci", "name")
    with walk.sentence("org-tokens.mint-empty"):
        for answer in (person.ask("POST", TOKENS), person.post(TOKENS, raw=""), person.post(TOKENS, {})):
            found = shape(expect(answer, 200).json, {"id": str, "prefix": str, "auth_token": str, "warning": str})
            holds("name" not in found, "no name", found.get("name", ""))
    with walk.sentence("org-tokens.name-100"):
        for letter in ("n", "\u00e9", "\U0001f642"):
            equal(mint(person, name=letter * 100)["name"], letter * 100, "name")
            expect(person.post(TOKENS, {"name": letter * 101}), 400)
    with walk.sentence("org-tokens.role-default"):
        equal(listed(host, mint(person, name="x")["id"])["role"], "admin", "role")
    with walk.sentence("org-tokens.roles"):
        for role in ("admin", "editor", "reader"):
            equal(listed(host, mint(person, role=role)["id"])["role"], role, "role")
        for role in ("owner", "", "Admin", "admin "):
            expect(person.post(TOKENS, {"role": role}), 400)
    with walk.sentence("org-tokens.bound"):
        place = workspace(person, "bound")
        equal(listed(host, mint(person, workspace_id=place)["id"])["workspace_id"], place, "workspace_id")
    with walk.sentence("org-tokens.plaintext"):
        well_formed([mint(person)["auth_token"] for _ in range(4)], "cso_")
    with walk.sentence("org-tokens.prefix"):
        made = mint(person)
        equal(made["prefix"], made["auth_token"][:8], "prefix")
        equal(listed(host, made["id"])["prefix"], made["auth_token"][:8], "prefix in the list")
    with walk.sentence("org-tokens.expiry"):
        made = mint(person, expires_at=late.isoformat())
        equal(instant(made["expires_at"]), late, "expires_at")
        equal(instant(listed(host, made["id"])["expires_at"]), late, "expires_at in the list")
        soon = (datetime.now(timezone.utc) + timedelta(seconds=2)).isoformat()
        brief = agent(host, expires_at=soon)
        expect(brief.get("/workspaces"), 200)
        walk.pause(2.2)
        expect(brief.get("/workspaces"), 401)
        holds(brief.token["id"] not in token_ids(person), "it is no longer listed")
        expect(person.post(TOKENS, {"expires_at": "2001-01-01T00:00:00Z"}), 400)


def created_by(walk):
    """Who made it."""
    host = walk.host
    with walk.sentence("org-tokens.created-by-session"):
        made = listed(host, mint(host.person("zoë"), name="session")["id"])
        equal(made["created_by"], "session:" + sha256(b"control-plane\0" + "zoë".encode()).hexdigest()[:16], "created_by")
    with walk.sentence("org-tokens.created-by-user"):
        equal(made.get("created_by_user"), "zoë", "created_by_user")
    with walk.sentence("org-tokens.created-by-token"):
        asker = agent(host)
        made = expect(granted(host, asker, "POST", TOKENS, {"name": "by token"}), 200).json
        equal(listed(host, made["id"])["created_by"], "org-token:" + asker.token["prefix"], "created_by")
    with walk.sentence("org-tokens.created-by-admin"):
        made = expect(granted(host, host.admin, "POST", TOKENS, {"name": "by admin"}), 200).json
        equal(listed(host, made["id"])["created_by"], "admin-token", "created_by")
    with walk.sentence("org-tokens.created-by-provisioner"):
        made = expect(host.provisioner.post(TOKENS, {"name": "by provisioner"}), 200).json
        equal(listed(host, made["id"])["created_by"], "provisioner", "created_by")


SCENES = [listing, minting, created_by]
