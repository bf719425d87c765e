"""What takes half a minute and more."""

import threading
import time

from deeds import agent, pending
from wire import equal, expect, holds

TOKENS = "/org/tokens"


def timed(ask):
    """An answer, and how long it took."""
    began = time.monotonic()
    return ask(), time.monotonic() - began


def remembered(walk):
    """What lives for half a minute, and the longest wait."""
    host = walk.start()
    asker = agent(host)
    patient = pending(asker, "POST", TOKENS, {"name": "patience"})["approval_id"]
    held = []
    waiter = threading.Thread(target=lambda: held.append(timed(lambda: asker.get(f"/approvals/{patient}?wait=55"))))
    waiter.start()
    cookie = host.plane.admit("dora")
    expect(host.holder(cookie).get("/workspaces"), 200)
    walk.pause(25)
    with walk.sentence("sessions.yes-30s"):
        expect(host.holder(cookie).get("/workspaces"), 200)
        equal(len(host.plane.checks(cookie)), 1, "number of questions within 30 s")
        walk.pause(6)
        expect(host.holder(cookie).get("/workspaces"), 200)
        equal(len(host.plane.checks(cookie)), 2, "number of questions after 30 s")
    waiter.join()
    with walk.sentence("approvals.wait-55"):
        answer, took = held[0]
        equal(expect(answer, 200).json["status"], "pending", "status")
        holds(54 <= took < 58, "an answer after 55 s", f"{took:.1f} s")


SCENES = [remembered]
