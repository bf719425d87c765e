"""People whom the control plane knows."""

import threading
import time
from hashlib import sha256

from control_plane import Reply
from deeds import agent, approved, pending
from wire import equal, expect, holds

PATH = "/org/tokens"
NO_SESSION = (401, 503)  # the page does not say what becomes of an answer that is none: both are closed


def verified(walk):
    """A cookie is asked about, and the answer makes a person."""
    host = walk.host
    plane = host.plane
    with walk.sentence("sessions.verified"):
        expect(host.person("alice").get(PATH), 200)
    with walk.sentence("sessions.question"):
        cookie = plane.admit("alice")
        both = f"other=1; {cookie}; third=3"
        expect(host.holder(both).get(PATH), 200)
        asked = plane.checks(cookie)[-1]
        equal(asked.method, "GET", "method")
        equal(asked.target, f"/cp/auth/tenant-member?slug={plane.slug}", "target")
        equal(asked.headers.get("Cookie"), both, "Cookie")
    with walk.sentence("sessions.issuer"):
        expect(host.person("mallory").post(PATH, {"name": "issuer"}), 200)
        wanted = "session:" + sha256(b"control-plane\0mallory").hexdigest()[:16]
        found = expect(host.person().get(PATH), 200).json["tokens"]
        holds(wanted in [t["created_by"] for t in found], f"created_by {wanted}", [t["created_by"] for t in found])


def no_session(walk):
    """Answers that make nobody."""
    host = walk.host
    member = {"member": True, "user_id": "alice"}

    def nobody(reply, status=401):
        """Of this answer comes no session."""
        expect(host.holder(host.plane.cookie(reply)).get(PATH), status)

    with walk.sentence("sessions.not-member"):
        nobody(Reply({"member": False, "user_id": "alice"}))
        for body in ({"user_id": "alice"}, {"member": "true", "user_id": "alice"}, {"member": 1, "user_id": "alice"}, b"member", [member]):
            nobody(Reply(body), NO_SESSION)
    with walk.sentence("sessions.empty-user"):
        for body in ({"member": True, "user_id": ""}, {"member": True}, {"member": True, "user_id": None}, {"member": True, "user_id": 7}):
            nobody(Reply(body), NO_SESSION)
    with walk.sentence("sessions.not-200"):
        for status in (201, 203, 206, 401, 403, 404, 500):
            nobody(Reply(member, status=status), NO_SESSION)
    with walk.sentence("sessions.redirect"):
        for status in (301, 302, 307, 308):
            nobody(Reply(member, status, headers={"Location": host.plane.url + "/elsewhere"}), NO_SESSION)
        holds(not [a for a in host.plane.asked if a.path == "/elsewhere"], "no redirect followed")


def without_slug(walk):
    """Both settings, or nobody is asked."""
    host = walk.start(MOLECULE_ORG_SLUG=None)
    with walk.sentence("sessions.needs-slug"):
        cookie = host.plane.admit("alice")
        expect(host.holder(cookie).get(PATH), 401)
        equal(len(host.plane.checks(cookie)), 0, "number of questions")


def time_and_cache(walk):
    """How long is waited and how long an answer counts."""
    host = walk.host
    plane = host.plane
    yes = {"member": True, "user_id": "alice"}
    with walk.sentence("sessions.timeout"):
        cookie = plane.cookie(Reply(yes, delay=6))
        began = time.monotonic()
        expect(host.holder(cookie).get(PATH), (401, 502, 503, 504))
        took = time.monotonic() - began
        holds(2 < took < 5, "an end after 3 s", f"{took:.1f} s")
    with walk.sentence("sessions.cached-yes"):
        cookie = plane.admit("alice")
        for _ in range(3):
            expect(host.holder(cookie).get(PATH), 200)
        equal(len(plane.checks(cookie)), 1, "number of questions")
    with walk.sentence("sessions.transport-not-cached"):
        cookie = plane.cookie(Reply(yes, drop=True))
        answer = host.holder(cookie).get(PATH)
        holds(answer.status != 200, "no session", str(answer))
        plane.change(cookie, Reply(yes))
        expect(host.holder(cookie).get(PATH), 200)
    with walk.sentence("sessions.cached-no"):
        cookie = plane.cookie(Reply({"member": False}))
        for _ in range(3):
            expect(host.holder(cookie).get(PATH), 401)
        equal(len(plane.checks(cookie)), 1, "number of questions")
        plane.change(cookie, Reply(yes))
        time.sleep(5.5)
        expect(host.holder(cookie).get(PATH), 200)


def together(callers):
    """Let them all ask at once; their answers."""
    answers = []
    threads = [threading.Thread(target=lambda c=c: answers.append(c.get(PATH))) for c in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def at_once(walk):
    """Many checks at the same time."""
    host = walk.host
    plane = host.plane
    yes = {"member": True, "user_id": "alice"}
    with walk.sentence("sessions.single-flight"):
        cookie = plane.cookie(Reply(yes, delay=1))
        for answer in together([host.holder(cookie)] * 12):
            expect(answer, 200)
        equal(len(plane.checks(cookie)), 1, "number of questions")
    with walk.sentence("sessions.in-flight"):
        plane.most_inside = 0
        together([host.holder(plane.cookie(Reply(yes, delay=0.5))) for _ in range(48)])
        holds(1 < plane.most_inside <= 32, "at most 32 questions at once", plane.most_inside)


def afresh(walk):
    """What is too grave for a remembered yes."""
    host = walk.host
    asker = agent(host)
    with walk.sentence("sessions.decide-afresh"):
        approval = pending(asker, "POST", PATH, {"name": "afresh"})["approval_id"]
        gone = signed_out(host, "bob")
        expect(gone.post(f"/approvals/{approval}/decide", {"decision": "approved"}), (401, 403))
        equal(host.person().get(f"/approvals/{approval}").json["status"], "pending", "state")
    with walk.sentence("sessions.revoke-afresh"):
        victim = agent(host).token["id"]
        expect(signed_out(host, "bob").delete(f"/org/tokens/{victim}"), (401, 403))
        holds(victim in [t["id"] for t in host.person().get(PATH).json["tokens"]], "the token alive")
        grant = approved(host, asker, "POST", PATH, {"name": "afresh too"})
        expect(signed_out(host, "bob").post(f"/approvals/{grant}/revoke"), (401, 403))
        equal(host.person().get(f"/approvals/{grant}").json["status"], "approved", "state")


def policies_afresh(walk):
    """An operator whom the control plane no longer knows."""
    host = walk.start(COUNTERSIGN_OPERATORS="control-plane:olga")
    with walk.sentence("sessions.policy-afresh"):
        cookie = host.plane.admit("olga")
        expect(host.holder(cookie).get("/policies"), 200)
        host.plane.change(cookie, Reply({"member": False}))
        expect(host.holder(cookie).post("/policies/rollback", {"generation": 1}), (401, 403))
        equal(len(host.plane.checks(cookie)), 2, "number of questions")


def signed_out(host, user):
    """Somebody with a remembered yes, whom the control plane no longer knows."""
    cookie = host.plane.admit(user)
    expect(host.holder(cookie).get(PATH), 200)
    host.plane.change(cookie, Reply({"member": False}))
    return host.holder(cookie)


SCENES = [verified, no_session, without_slug, time_and_cache, at_once, afresh, policies_afresh]
