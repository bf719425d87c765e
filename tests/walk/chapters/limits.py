"""Limits by number: requests, mints, live tokens."""

from concurrent.futures import ThreadPoolExecutor

import console
from deeds import agent, approved, mint, pending
from wire import equal, expect, holds

TOKENS = "/org/tokens"


def until_limited(client, most, path="/workspaces"):
    """How many of so many requests are answered before the first 429."""
    for done in range(most):
        if client.get(path).status == 429:
            return done
    return most


def requests(walk):
    """RATE_LIMIT."""
    with walk.sentence("limits.default-rate"):
        host = walk.start(RATE_LIMIT=None)
        equal(host.admin.get("/workspaces").header("X-RateLimit-Limit"), "600", "X-RateLimit-Limit")
    with walk.sentence("limits.rate"):
        host = walk.start(RATE_LIMIT="30")
        done = until_limited(host.admin, 60)
        holds(20 <= done <= 30, "429 after RATE_LIMIT requests", f"{done} answered")
    with walk.sentence("limits.rate-off"):
        host = walk.start(RATE_LIMIT="0")
        equal(until_limited(host.nobody, 620, "/no/such/route"), 620, "requests answered")
    with walk.sentence("limits.address-first"):
        host = walk.start(RATE_LIMIT="30")
        done = until_limited(host.bearer("wrong"), 60)
        holds(20 <= done <= 30, "429 to a bearer that is nobody", f"{done} answered")
        expect(host.admin.get("/workspaces"), 429)


def people(walk):
    """What an agent cannot take from a person."""
    host = walk.start(RATE_LIMIT="30")
    approval = pending(host.admin, "POST", TOKENS, {"name": "decide"})["approval_id"]
    bob = host.person("bob")
    until_limited(host.admin, 60)
    with walk.sentence("limits.person-decides"):
        expect(host.admin.get("/workspaces"), 429)
        expect(bob.post(f"/approvals/{approval}/decide", {"decision": "approved"}), 200)
    with walk.sentence("limits.person-signs-in"):
        alone = walk.start(CP_UPSTREAM_URL=None, MOLECULE_ORG_SLUG=None, RATE_LIMIT="30")
        until_limited(alone.bearer("wrong"), 60)
        expect(alone.admin.get("/workspaces"), 429)
        console.sign_in(alone)


def mints(walk):
    """MINT_LIMIT."""
    with walk.sentence("limits.mint"):
        host = walk.start(MINT_LIMIT="3")
        person = host.person()
        for _ in range(3):
            mint(person)
        answer = expect(person.post(TOKENS, {"name": "one more"}), 429)
        holds((answer.header("Retry-After") or "").isdigit(), "Retry-After in seconds", answer.header("Retry-After"))
        expect(host.person("zoë").post(TOKENS, {"name": "same address"}), 429)
    with walk.sentence("limits.mint-happened"):
        host = walk.start(MINT_LIMIT="3")
        asker = agent(host)
        for i in range(6):
            pending(asker, "POST", TOKENS, {"name": f"pending {i}"})
        for i in range(2):
            approved(host, asker, "POST", TOKENS, {"name": f"pending {i}"})
            expect(asker.post(TOKENS, {"name": f"pending {i}"}), 200)
        expect(host.person().post(TOKENS, {"name": "one more"}), 429)
    with walk.sentence("limits.mint-default"):
        person = walk.start(MINT_LIMIT=None).person()
        for _ in range(10):
            mint(person)
        expect(person.post(TOKENS, {"name": "eleventh"}), 429)
    with walk.sentence("limits.mint-off"):
        person = walk.start(MINT_LIMIT="0").person()
        for _ in range(15):
            mint(person)


def fleet(walk):
    """Two hosts on one database."""
    walk.only_on("postgres")
    with walk.sentence("limits.mint-fleet"):
        shared = {**walk.database.fresh(), "SECRETS_ENCRYPTION_KEY": "5a" * 32, "MINT_LIMIT": "3"}
        first = walk.start(database=shared)
        second = walk.start(plane=first.plane, database=shared)
        mint(first.person()), mint(second.person()), mint(first.person())
        expect(second.person().post(TOKENS, {"name": "one more"}), 429)
        expect(first.person().post(TOKENS, {"name": "one more"}), 429)


def live(walk):
    """LIVE_TOKEN_LIMIT."""
    with walk.sentence("limits.live-tokens"):
        host = walk.start(LIVE_TOKEN_LIMIT="3")
        person = host.person()
        ids = [mint(person)["id"] for _ in range(3)]
        expect(person.post(TOKENS, {"name": "fourth"}), 429)
        expect(person.delete(f"{TOKENS}/{ids[0]}"), 200)
        mint(person, name="in its place")
    with walk.sentence("limits.live-default"):
        person = walk.start().person()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: mint(person), range(100)))
        expect(person.post(TOKENS, {"name": "one too many"}), 429)


def many(walk):
    """More live tokens than one list shows."""
    host = walk.start(LIVE_TOKEN_LIMIT="0")
    person = host.person()
    with walk.sentence("limits.live-off"):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: mint(person), range(499)))
        ids = [mint(person)["id"] for _ in range(3)]
    with walk.sentence("org-tokens.list-500"):
        found = expect(person.get(TOKENS), 200).json
        equal(len(found["tokens"]), 500, "tokens listed")
        equal([t["id"] for t in found["tokens"][:3]], ids[:-4:-1], "the newest first")


SCENES = [requests, people, mints, fleet, live, many]
