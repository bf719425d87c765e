"""What makes two requests the same, and what people are shown of a secret."""

from deeds import agent, approved, pending, workspace
from wire import equal, expect, holds

TOKENS = "/org/tokens"
SECRETS = "/settings/secrets"


def sameness(walk):
    """Requests that are one."""
    host = walk.host
    with walk.sentence("digest.defaults"):
        asker = agent(host)
        first = pending(asker, "POST", TOKENS, {"name": "same"})["approval_id"]
        equal(pending(asker, "POST", TOKENS, {"name": "same", "role": "admin"})["approval_id"], first, "approval_id")
    with walk.sentence("digest.instants"):
        asker = agent(host)
        first = pending(asker, "POST", TOKENS, {"name": "when", "expires_at": "2099-01-01T12:00:00Z"})["approval_id"]
        for text in ("2099-01-01T13:00:00+01:00", "2099-01-01T12:00:00.000000Z"):
            equal(pending(asker, "POST", TOKENS, {"name": "when", "expires_at": text})["approval_id"], first, f"approval_id for {text}")
        other = pending(asker, "POST", TOKENS, {"name": "when", "expires_at": "2099-01-01T12:00:01Z"})["approval_id"]
        holds(other != first, "another approval for another instant")


def values(walk):
    """Requests about a secret."""
    host = walk.host
    person = host.person()
    with walk.sentence("digest.secret-value"):
        asker = agent(host)
        place = workspace(person, "digest")
        path = f"/workspaces/{place}/secrets"
        grant = approved(host, asker, "PUT", path, {"key": "K", "value": "approved value"})
        for client in (asker, asker.also(Approval_Id=grant)):
            answer = client.put(path, {"key": "K", "value": "another value"})
            holds(answer.status != 200, "no write of another value", str(answer))
        expect(asker.put(path, {"key": "K", "value": "approved value"}), 200)
    shown = []
    for _ in range(2):
        asked = pending(agent(host), "PUT", SECRETS, {"key": "SHARED", "value": "one and the same value"})
        shown.append(expect(person.get(asked["poll"]), 200))
    with walk.sentence("digest.requester"):
        holds(shown[0].json["digest"] != shown[1].json["digest"], "two digests", shown[0].json["digest"])
    with walk.sentence("digest.fingerprint"):
        prints = [answer.json["payload"] for answer in shown]
        holds(prints[0] != prints[1], "payloads whose fingerprints differ", prints[0])
    with walk.sentence("digest.no-value"):
        answers = [*shown, person.get("/approvals/pending"), person.get("/audit?limit=200"), person.get("/decisions")]
        for answer in answers:
            holds("one and the same value" not in expect(answer, 200).text, "no value", str(answer))


SCENES = [sameness, values]
