"""What every answer must carry, whoever asked and whatever came."""


class Witness:
    """Looks at every answer of a host and remembers the first that lacks something."""

    def __init__(self):
        self.seen = 0
        self.lacking = {}
        self.request_ids = set()

    def look(self, answer):
        """Note what this answer lacks."""
        self.seen += 1
        request_id = answer.header("X-Request-Id")
        if not request_id or request_id in self.request_ids:
            self._lacks("X-Request-Id", answer)
        self.request_ids.add(request_id)
        for name in ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"):
            if not (answer.header(name) or "").isdigit():
                self._lacks("X-RateLimit", answer)
        if answer.header("X-Content-Type-Options") != "nosniff":
            self._lacks("X-Content-Type-Options", answer)
        if answer.header("X-Frame-Options") != "DENY":
            self._lacks("X-Frame-Options", answer)
        if not strict(answer.header("Content-Security-Policy") or ""):
            self._lacks("Content-Security-Policy", answer)

    def _lacks(self, what, answer):
        self.lacking.setdefault(what, f"{answer}, headers {sorted(k.lower() for k in answer.headers)}")


def strict(policy):
    """A policy that starts from nothing or from ourselves and runs nothing inline; in a sandbox without scripts, styles may be."""
    directives = {part.split()[0]: part.split()[1:] for part in policy.split(";") if part.split()}
    start = directives.get("default-src")
    sandbox = directives.get("sandbox")
    if sandbox is not None and not {"allow-scripts", "allow-same-origin"} & set(sandbox):
        directives.pop("style-src", None)
    loose = {"'unsafe-inline'", "'unsafe-eval'", "*"}
    return start in (["'none'"], ["'self'"]) and not any(loose & set(v) for v in directives.values())
