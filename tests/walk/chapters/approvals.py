"""Approvals: reading them."""

import threading
import time
import uuid

from deeds import agent, decide, pending, workspace
from wire import array, equal, expect, holds, instant, shape

WIRE = {"id": str, "workspace_id": str, "workspace_name": str, "action": str, "reason": str, "status": str, "created_at": str}


def listing(walk):
    """What waits, and who sees it."""
    host = walk.start()
    person = host.person()
    with walk.sentence("approvals.pending-shape"):
        equal(array(person.get("/approvals/pending")), [], "the empty list")
    place = workspace(person, "watched")
    asker, other = agent(host), agent(host)
    secret = pending(asker, "PUT", f"/workspaces/{place}/secrets", {"key": "K", "value": "the hidden value"})["approval_id"]
    mint = pending(other, "POST", "/org/tokens", {"name": "payload", "role": "reader", "expires_at": "2099-01-01T00:00:00Z"})["approval_id"]
    answer = person.get("/approvals/pending")
    found = {a["id"]: a for a in array(answer)}
    with walk.sentence("approvals.pending-shape"):
        equal(set(found), {secret, mint}, "ids")
        for approval in found.values():
            shape(approval, WIRE)
            equal(approval["status"], "pending", "status")
            uuid.UUID(approval["workspace_id"])
            instant(approval["created_at"])
        equal((found[secret]["action"], found[mint]["action"]), ("secret_write", "org_token_mint"), "actions")
    with walk.sentence("approvals.pending-ours"):
        for approval in found.values():
            shape(approval, {"requester": (str, dict), "resource": (str, dict), "payload": dict, "rule": str, "policy": str, "digest": str, "expires_at": str})
            members = " ".join(approval)
            holds("approv" in members or "vote" in members, "a member for the approvals so far", members)
            holds("need" in members or "quorum" in members, "a member for the approvals needed", members)
        holds(asker.token["prefix"] in str(found[secret]["requester"]), "the requester's prefix", found[secret]["requester"])
    with walk.sentence("approvals.masked"):
        text = str(found[mint]["payload"])
        for part in ("payload", "reader", "2099-01-01"):
            holds(part in text, f"{part} in the payload", text)
        holds("'K'" in str(found[secret]["payload"]), "the key in the payload", found[secret]["payload"])
        holds("the hidden value" not in answer.text, "no value", answer.text)
    with walk.sentence("approvals.people-see-all"):
        equal({a["id"] for a in array(host.person("zoë").get("/approvals/pending"))}, {secret, mint}, "ids")
    with walk.sentence("approvals.others-see-own"):
        equal([a["id"] for a in array(asker.get("/approvals/pending"))], [secret], "ids of the asker")
        equal([a["id"] for a in array(host.admin.get("/approvals/pending"))], [], "ids of the admin token")
        expect(asker.get(f"/approvals/{secret}"), 200)
        expect(asker.get(f"/approvals/{mint}"), (403, 404))
        expect(host.nobody.get("/approvals/pending"), 401)
    with walk.sentence("approvals.read"):
        one = expect(person.get(f"/approvals/{secret}"), 200).json
        shape(one, WIRE)
        equal(one["id"], secret, "id")
        expect(person.get(f"/approvals/{uuid.uuid4()}"), 404)
    with walk.sentence("approvals.of-workspace"):
        bound = agent(host, workspace_id=place)
        own = pending(bound, "POST", f"/workspaces/{place}/tokens")["approval_id"]
        listed = array(person.get(f"/workspaces/{place}/approvals"))
        holds(own in [a["id"] for a in listed], "the request of the token bound to it", [a["id"] for a in listed])
        holds(mint not in [a["id"] for a in listed], "no request of elsewhere")
        nowhere = person.get(f"/workspaces/{uuid.uuid4()}/approvals")
        holds(nowhere.status == 404 or array(nowhere) == [], "404 or nothing of a workspace that never was", str(nowhere))


def paging(walk):
    """More than one page."""
    host = walk.start()
    person, asker = host.person(), agent(host)
    wanted = {pending(asker, "POST", "/org/tokens", {"name": f"page {i}"})["approval_id"] for i in range(5)}
    with walk.sentence("approvals.paging"):
        seen, path = [], "/approvals/pending?limit=2"
        for _ in range(5):
            answer = person.get(path)
            page = [a["id"] for a in array(answer)]
            holds(len(page) <= 2, "two at most", page)
            seen += page
            if len(page) < 2:
                break
            cursor = answer.header("X-Next-Cursor") or page[-1]
            path = f"/approvals/pending?limit=2&cursor={cursor}"
        equal(len(seen), len(set(seen)), "each once")
        equal(set(seen), wanted, "ids")
        for wrong in ("limit=many", "limit=-1", "cursor=nonsense"):
            expect(person.get(f"/approvals/pending?{wrong}"), 400)


def waiting(walk):
    """Reading that holds."""
    host = walk.host
    asker = agent(host)
    approval = pending(asker, "POST", "/org/tokens", {"name": "waited for"})["approval_id"]
    with walk.sentence("approvals.wait-over"):
        began = time.monotonic()
        equal(expect(asker.get(f"/approvals/{approval}?wait=1"), 200).json["status"], "pending", "status")
        took = time.monotonic() - began
        holds(0.8 < took < 4, "an answer after 1 s", f"{took:.1f} s")
        expect(asker.get(f"/approvals/{approval}?wait=nonsense"), 400)
    with walk.sentence("approvals.wait-change"):
        answers = []
        waiter = threading.Thread(target=lambda: answers.append((asker.get(f"/approvals/{approval}?wait=15"), time.monotonic())))
        waiter.start()
        walk.pause(0.5)
        holds(not answers, "no answer before the change", answers)
        decide(host.person("bob"), approval)
        decided = time.monotonic()
        waiter.join()
        answer, came = answers[0]
        equal(expect(answer, 200).json["status"], "approved", "status")
        holds(came - decided < 3, "an answer at the change", f"{came - decided:.1f} s")


SCENES = [listing, paging, waiting]
