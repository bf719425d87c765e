"""What holds once or up to a number holds when all come at once, too."""

import threading

import console
from deeds import agent, approved, mint, pending, state, token_ids, workspace, workspace_token
from wire import Mismatch, equal, holds

TOKENS = "/org/tokens"


def together(asks):
    """Let all of them go at once; their answers, in the order of the asks."""
    answers, gate = [None] * len(asks), threading.Barrier(len(asks))

    def go(i, ask):
        """One of them."""
        gate.wait()
        try:
            answers[i] = ask()
        except Mismatch as fault:
            answers[i] = fault

    threads = [threading.Thread(target=go, args=pair) for pair in enumerate(asks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        if isinstance(answer, Mismatch):
            raise answer
    return answers


def exactly(answers, status, count, others):
    """So many have this status, and all others one of those."""
    found = [answer for answer in answers if answer.status == status]
    equal(len(found), count, f"of {len(answers)} answers, those with {status}:")
    for answer in answers:
        holds(answer.status in (status, *others), f"{status} or one of {others}", str(answer))
    return found


def grants(walk):
    """One grant, one request, one decision."""
    host = walk.host
    person = host.person()
    with walk.sentence("gate.once"):
        asker = agent(host)
        approved(host, asker, "POST", TOKENS, {"name": "race"})
        exactly(together([lambda: asker.post(TOKENS, {"name": "race"})] * 8), 200, 1, (202, 403, 409))
        equal([t.get("name") for t in person.get(TOKENS).json["tokens"]].count("race"), 1, "live tokens of that name")
    with walk.sentence("lost-answers.old-revoked"):
        asker = agent(host)
        named = asker.also(Approval_Id=approved(host, asker, "POST", TOKENS, {"name": "race, named"}))
        answers = together([lambda: named.post(TOKENS, {"name": "race, named"})] * 8)
        made = [answer.json["id"] for answer in answers if answer.status == 200]
        holds(made, "one 200 at least", str(answers[0]))
        equal(len(set(made) & set(token_ids(person))), 1, "live tokens of that grant")
    with walk.sentence("gate.repeat-pending"):
        asker = agent(host)
        answers = exactly(together([lambda: asker.post(TOKENS, {"name": "race"})] * 8), 202, 8, ())
        equal(len({answer.json["approval_id"] for answer in answers}), 1, "approvals")
    with walk.sentence("gate.twenty-pending"):
        asker = agent(host)
        exactly(together([lambda i=i: asker.post(TOKENS, {"name": f"race {i}"}) for i in range(28)]), 202, 20, (429,))


def decisions(walk):
    """Several people, and a requester, at the same moment."""
    host = walk.host
    with walk.sentence("approvals.decide-twice"):
        approval = pending(agent(host), "POST", TOKENS, {"name": "decided"})["approval_id"]
        words = ["approved", "denied"] * 4
        people = [host.person(f"judge {i}") for i in range(8)]
        answers = together([lambda p=p, w=w: p.post(f"/approvals/{approval}/decide", {"decision": w}) for p, w in zip(people, words)])
        equal(exactly(answers, 200, 1, (404,))[0].json["status"], state(host, approval), "state")
    with walk.sentence("approvals.withdraw-decided"):
        asker, bob = agent(host), host.person("bob")
        approval = pending(asker, "POST", TOKENS, {"name": "withdrawn"})["approval_id"]
        place = bob.get(f"/approvals/{approval}").json["workspace_id"]
        asks = [lambda: asker.post(f"/workspaces/{place}/approvals/{approval}/withdraw"),
                lambda: bob.post(f"/approvals/{approval}/decide", {"decision": "approved"})]
        exactly(together(asks * 3), 200, 1, (404, 409))


def ends(walk):
    """What ends once."""
    host = walk.host
    person = host.person()
    with walk.sentence("org-tokens.revoke-twice"):
        victim = mint(person)["id"]
        exactly(together([lambda: person.delete(f"{TOKENS}/{victim}")] * 6), 200, 1, (404,))
    with walk.sentence("verbs.workspace-token-rotation"):
        place = workspace(person, "race")
        old = workspace_token(host, place)
        exactly(together([lambda: old.post(f"/workspaces/{place}/tokens")] * 6), 201, 1, (401, 403, 409))
    with walk.sentence("sign-in.once"):
        alone = walk.start(CP_UPSTREAM_URL=None, MOLECULE_ORG_SLUG=None)
        link = {"link": console.url(alone)}
        page = alone.client(Sec_Fetch_Site="same-origin")
        exactly(together([lambda: page.post("/sign-in", link)] * 6), 200, 1, (400, 401, 403, 404, 409, 410))


def numbers(walk):
    """Limits by number."""
    person = walk.host.person()
    with walk.sentence("workspace-tokens.fifty"):
        place = workspace(person, "fifty at once")
        exactly(together([lambda: person.post(f"/workspaces/{place}/tokens")] * 56), 201, 50, (429,))
    with walk.sentence("limits.mint"):
        first = walk.start(MINT_LIMIT="4").person()
        exactly(together([lambda: first.post(TOKENS, {"name": "race"})] * 12), 200, 4, (429,))
    with walk.sentence("limits.live-tokens"):
        second = walk.start(LIVE_TOKEN_LIMIT="4").person()
        exactly(together([lambda: second.post(TOKENS, {"name": "race"})] * 12), 200, 4, (429,))


SCENES = [grants, decisions, ends, numbers]
