"""Secrets."""

import sqlite3

from deeds import agent, granted, pending, secret_keys, workspace, workspace_token
from wire import array, equal, expect, holds, instant, shape

VALUE = "a value that is nowhere else"
RESTART = "workspace_restart_requested"


def life(walk):
    """Saved, listed, read, deleted."""
    host = walk.start()
    person = host.person()
    place = workspace(person, "secrets")
    own = f"/workspaces/{place}/secrets"
    with walk.sentence("secrets.save"):
        for method, key in (("POST", "BY_POST"), ("PUT", "BY_PUT"), ("PUT", "BY_PUT"), ("POST", "BOTH")):
            found = expect(person.ask(method, own, {"key": key, "value": VALUE}), 200).json
            equal((found["status"], found["key"]), ("saved", key), "status and key")
    with walk.sentence("secrets.save-global"):
        for method, path, key in (("POST", "/settings/secrets", "G_POST"), ("PUT", "/settings/secrets", "G_PUT"), ("PUT", "/settings/secrets", "BOTH")):
            found = expect(person.ask(method, path, {"key": key, "value": VALUE + ", global"}), 200).json
            equal((found["status"], found["key"], found.get("scope")), ("saved", key, "global"), "status, key and scope")
    with walk.sentence("secrets.admin-routes"):
        found = expect(person.post("/admin/secrets", {"key": "G_ADMIN", "value": VALUE}), 200).json
        equal((found["status"], found.get("scope")), ("saved", "global"), "status and scope")
        equal(sorted(secret_keys(person, "/admin/secrets")), sorted(secret_keys(person, "/settings/secrets")), "keys")
        expect(person.delete("/admin/secrets/G_ADMIN"), 200)
        holds("G_ADMIN" not in secret_keys(person, "/settings/secrets"), "it gone")
    lists = [person.get(own), person.get("/settings/secrets"), person.get("/admin/secrets")]
    with walk.sentence("secrets.list-shape"):
        for answer in lists:
            for secret in array(answer):
                shape(secret, {"key": str, "has_value": bool, "scope": str, "created_at": str, "updated_at": str})
                equal(secret["has_value"], True, "has_value")
                holds(secret["scope"] in ("workspace", "global"), "scope workspace or global", secret["scope"])
                instant(secret["created_at"]), instant(secret["updated_at"])
    with walk.sentence("secrets.list-merged"):
        found = {s["key"]: s["scope"] for s in array(lists[0])}
        equal(found, {"BY_POST": "workspace", "BY_PUT": "workspace", "BOTH": "workspace", "G_POST": "global", "G_PUT": "global"}, "keys and scopes")
        equal({s["scope"] for s in array(lists[1])}, {"global"}, "scopes of the settings routes")
    with walk.sentence("secrets.list-no-values"):
        for answer in lists:
            holds(VALUE not in answer.text and '"value"' not in answer.text, "no value", str(answer))
    with walk.sentence("secrets.values"):
        found = expect(workspace_token(host, place).get(own + "/values"), 200).json
        wanted = {"BY_POST": VALUE, "BY_PUT": VALUE, "BOTH": VALUE, "G_POST": VALUE + ", global", "G_PUT": VALUE + ", global"}
        equal(found, wanted, "values")
    with walk.sentence("secrets.stored"):
        walk.only_on("sqlite")
        equal(host.stored(VALUE), [], "files with the value")
        holds(VALUE not in host.output(), "no value in the output")
    with walk.sentence("secrets.delete"):
        for path, key in ((own, "BY_POST"), ("/settings/secrets", "G_POST")):
            found = expect(person.delete(f"{path}/{key}"), 200).json
            equal((found["status"], found["key"]), ("deleted", key), "status and key")
        holds("BY_POST" not in secret_keys(person, own), "it gone")
    with walk.sentence("secrets.delete-missing"):
        for path in (own + "/BY_POST", "/settings/secrets/G_POST", "/admin/secrets/NEVER", own + "/G_PUT"):
            expect(person.delete(path), 404)


def restarts(host):
    """How often a restart was asked for, as the audit log tells."""
    return [e for e in expect(host.person().get("/audit?limit=200"), 200).json["entries"] if RESTART in str(e)]


def restart(walk):
    """Which workspaces should start anew."""
    host = walk.start()
    person = host.person()
    one, two = workspace(person, "one"), workspace(person, "two")
    with walk.sentence("secrets.restart-pending"):
        asker = agent(host)
        pending(asker, "PUT", f"/workspaces/{one}/secrets", {"key": "K", "value": "v"})
        equal(len(restarts(host)), 0, "number of requested restarts")
    with walk.sentence("secrets.restart"):
        expect(person.put(f"/workspaces/{one}/secrets", {"key": "K", "value": "v"}), 200)
        told = str(restarts(host))
        holds(one in told and two not in told, "a restart of that workspace alone", told)
        expect(person.put("/settings/secrets", {"key": "G", "value": "v"}), 200)
        told = str(restarts(host))
        holds(one in told and two in told, "a restart of each workspace", told)
        before = len(restarts(host))
        granted(host, asker, "PUT", f"/workspaces/{one}/secrets", {"key": "K2", "value": "v"})
        holds(len(restarts(host)) > before, "a restart after an approved write")
        before = len(restarts(host))
        expect(person.delete(f"/workspaces/{one}/secrets/K2"), 200)
        holds(len(restarts(host)) > before, "a restart after a deletion")


def damaged(walk):
    """A stored value of which a byte was changed behind the host's back."""
    walk.only_on("sqlite")
    host = walk.start()
    person = host.person()
    place = workspace(person, "damaged")
    own = f"/workspaces/{place}/secrets"
    for key in ("WHOLE", "DAMAGED"):
        expect(person.put(own, {"key": key, "value": VALUE}), 200)
    holder = workspace_token(host, place)
    equal(expect(holder.get(own + "/values"), 200).json, {"WHOLE": VALUE, "DAMAGED": VALUE}, "values")
    host.stop()
    damage(host.data_dir / "countersign.db", "DAMAGED")
    host.start()
    with walk.sentence("secrets.undecryptable"):
        answer = expect(holder.get(own + "/values"), 500)
        equal(answer.json.get("failed_keys"), ["DAMAGED"], "failed_keys")
        holds(VALUE not in answer.text, "no value", str(answer))


def damage(path, key):
    """Change the last byte of each stored blob whose row has this key."""
    with sqlite3.connect(path) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = database.execute(f'SELECT rowid, * FROM "{table}"')
            names = [column[0] for column in rows.description]
            for row in rows.fetchall():
                for name, value in zip(names[1:], row[1:]):
                    if key in row and isinstance(value, bytes) and len(value) > 16:
                        changed = value[:-1] + bytes([value[-1] ^ 1])
                        database.execute(f'UPDATE "{table}" SET "{name}" = ? WHERE rowid = ?', (changed, row[0]))


SCENES = [life, restart, damaged]
