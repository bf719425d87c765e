"""Whose address counts."""

from deeds import agent
from wire import expect, holds

LIMIT = 20


def spent(client, times=LIMIT + 5, **headers):
    """Ask so often that the limit of this address is spent."""
    answers = [client.also(**headers).get("/workspaces") for _ in range(times)]
    holds(answers[-1].status == 429, f"429 after {times} requests", str(answers[-1]))


def behind_proxy(walk):
    """A trusted proxy on loopback."""
    with walk.sentence("limits.forwarded-rightmost"):
        host = walk.start(RATE_LIMIT=str(LIMIT), COUNTERSIGN_TRUSTED_PROXIES="127.0.0.1")
        wrong = host.bearer("wrong")
        spent(wrong, X_Forwarded_For="198.51.100.7")
        expect(wrong.also(X_Forwarded_For="198.51.100.8").get("/workspaces"), 401)
        for forged in ("203.0.113.1, 198.51.100.7", "203.0.113.2, 198.51.100.7, 127.0.0.1"):
            expect(wrong.also(X_Forwarded_For=forged).get("/workspaces"), 429)
    with walk.sentence("limits.ipv6-prefix"):
        host = walk.start(RATE_LIMIT=str(LIMIT), COUNTERSIGN_TRUSTED_PROXIES="127.0.0.1")
        wrong = host.bearer("wrong")
        for i in range(LIMIT + 5):
            answer = wrong.also(X_Forwarded_For=f"2001:db8:1:2:{i + 1:x}::{i:x}").get("/workspaces")
        expect(answer, 429)
        expect(wrong.also(X_Forwarded_For="2001:db8:1:3::1").get("/workspaces"), 401)
    with walk.sentence("limits.credential-after"):
        host = walk.start(RATE_LIMIT=str(LIMIT), COUNTERSIGN_TRUSTED_PROXIES="127.0.0.1")
        asker = agent(host)
        for i in range(LIMIT + 5):
            answer = asker.also(X_Forwarded_For=f"198.51.100.{i + 1}").get("/workspaces")
        expect(answer, 429)
        expect(agent(host).also(X_Forwarded_For="198.51.100.200").get("/workspaces"), 200)


def without_proxy(walk):
    """Nobody is trusted."""
    with walk.sentence("limits.forwarded-peer"):
        host = walk.start(RATE_LIMIT=str(LIMIT))
        wrong = host.bearer("wrong")
        for i in range(LIMIT + 5):
            answer = wrong.also(X_Forwarded_For=f"198.51.100.{i + 1}").get("/workspaces")
        expect(answer, 429)


SCENES = [behind_proxy, without_proxy]
