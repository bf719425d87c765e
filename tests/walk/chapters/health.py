"""Health, readiness, metrics, and what every answer carries."""

import re

from deeds import agent, pending
from wire import equal, expect, holds


def probes(walk):
    """The three probes, without a credential."""
    nobody = walk.host.nobody
    with walk.sentence("health.health"):
        equal(expect(nobody.get("/health"), 200).json, {"status": "ok"}, "body")
    with walk.sentence("health.ready"):
        expect(nobody.get("/ready"), 200)
    with walk.sentence("health.metrics"):
        answer = expect(nobody.get("/metrics"), 200)
        holds((answer.header("Content-Type") or "").startswith("text/plain"), "text/plain", answer.header("Content-Type"))
        holds(re.search(r"^# TYPE \w+ (counter|gauge|histogram|summary)$", answer.text, re.M), "a `# TYPE` line", str(answer))
        holds(re.search(r"^\w+(\{[^}]*\})? [0-9.eE+-]+$", answer.text, re.M), "a sample", str(answer))


def judged(walk):
    """Verbs that were judged say by which decision."""
    host = walk.host
    asker = agent(host)
    answers = [host.person().get("/workspaces"), asker.post("/org/tokens", {"name": "gated"}), asker.get("/audit")]
    with walk.sentence("health.judged"):
        for answer, status in zip(answers, (200, 202, 403)):
            expect(answer, status)
            holds(answer.header("X-Decision-Id"), "X-Decision-Id", str(answer))
            holds((answer.header("X-Policy-Generation") or "").isdigit(), "X-Policy-Generation, a number", str(answer))


def every_answer(walk):
    """Answers of all kinds, and what each of them must carry."""
    host = walk.start(RATE_LIMIT="10000")
    person, asker, nobody = host.person(), agent(host), host.nobody
    pending(asker, "POST", "/org/tokens", {"name": "gated"})
    nobody.get("/health"), nobody.get("/metrics"), nobody.get("/no/such/route"), nobody.get("/org/tokens")
    nobody.get("/console"), nobody.get("/cp/orgs"), nobody.get("/cp/nothing"), host.bearer("wrong").get("/workspaces")
    person.get("/workspaces"), person.post("/org/tokens", raw="{"), asker.get("/audit")
    person.post("/workspaces", {"name": "x" * 2000}), person.delete("/org/tokens/nothing")
    nobody.also(Host="elsewhere.example").get("/health"), nobody.ask("OPTIONS", "/org/tokens"), nobody.ask("TRACE", "/health")
    lacking = host.witness.lacking
    with walk.sentence("health.request-id"):
        holds("X-Request-Id" not in lacking, "X-Request-Id on every answer", lacking.get("X-Request-Id"))
    with walk.sentence("health.rate-headers"):
        holds("X-RateLimit" not in lacking, "X-RateLimit-Limit, -Remaining, -Reset on every answer", lacking.get("X-RateLimit"))
    with walk.sentence("health.nosniff"):
        holds("X-Content-Type-Options" not in lacking, "nosniff on every answer", lacking.get("X-Content-Type-Options"))
    with walk.sentence("health.framing"):
        holds("X-Frame-Options" not in lacking, "DENY on every answer", lacking.get("X-Frame-Options"))
    with walk.sentence("health.csp"):
        holds("Content-Security-Policy" not in lacking, "a strict CSP on every answer", lacking.get("Content-Security-Policy"))


SCENES = [probes, judged, every_answer]
