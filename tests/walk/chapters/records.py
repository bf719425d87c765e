"""The audit log and the decisions."""

from chapters.policies import items
from deeds import agent, decide, pending
from wire import equal, expect, holds, instant


def decisions(walk):
    """What was decided."""
    host = walk.host
    person, asker = host.person(), agent(host)
    asked = expect(asker.post("/org/tokens", {"name": "recorded"}), 202)
    denied = expect(asker.get("/audit"), 403)
    with walk.sentence("records.decisions"):
        rows = items(person.get("/decisions"), "decisions")
        ids = [row["id"] for row in rows]
        for answer in (asked, denied):
            holds(answer.header("X-Decision-Id") in ids, "the decision in the list", ids[:5])
        expect(asker.get("/decisions"), 403)
        equal(len(items(person.get("/decisions?limit=1"), "decisions")), 1, "rows of a page of one")
    with walk.sentence("records.decision"):
        for answer, verb in ((asked, "org_token_mint"), (denied, "audit_read")):
            found = expect(person.get(f"/decisions/{answer.header('X-Decision-Id')}"), 200).json
            holds(verb in str(found) and asker.token["prefix"] in str(found), f"{verb} by the asker", found)
        expect(person.get("/decisions/00000000-0000-4000-8000-000000000000"), 404)
        expect(asker.get(f"/decisions/{asked.header('X-Decision-Id')}"), 403)


def audit(walk):
    """What was done."""
    host = walk.host
    person, asker = host.person(), agent(host)
    approval = pending(asker, "POST", "/org/tokens", {"name": "audited mint"})["approval_id"]
    decide(host.person("bob"), approval)
    made = expect(asker.post("/org/tokens", {"name": "audited mint"}), 200).json
    expect(person.delete(f"/org/tokens/{made['id']}"), 200)
    with walk.sentence("records.audit"):
        text = expect(person.get("/audit?limit=200"), 200).text
        for part in (approval, made["id"], "audited mint", "bob", "alice"):
            holds(part in text, f"{part} in the audit", text[-500:])
        holds(made["auth_token"] not in text, "no plaintext")
        for row in items(person.get("/audit?limit=5"), "entries"):
            instant(next(v for k, v in row.items() if k in ("at", "time", "created_at")))
        expect(asker.get("/audit"), 403)
    with walk.sentence("records.audit-verify"):
        answer = expect(person.get("/audit/verify"), 200)
        holds(True in answer.json.values() or "ok" in answer.text, "a chain that is whole", str(answer))
        expect(asker.get("/audit/verify"), 403)


SCENES = [decisions, audit]
