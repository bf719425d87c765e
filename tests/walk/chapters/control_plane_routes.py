"""What goes on to the control plane, and what never does."""

import console
from deeds import agent, workspace, workspace_token
from wire import equal, expect, holds

FORWARDED = (
    "/cp/auth/me", "/cp/auth/tenant-member/x", "/cp/orgs", "/cp/orgs/one", "/cp/orgs/one/members", "/cp/billing/plan",
    "/cp/templates", "/cp/templates/one", "/cp/legal/terms",
)


def asked(host, path):
    """What arrived upstream at this path."""
    return [a for a in host.plane.asked if a.path == path]


def last(host, path):
    """The last request that arrived upstream at this path."""
    found = asked(host, path)
    holds(found, f"{path} to arrive upstream")
    return found[-1]


def forwarding(walk):
    """What is forwarded, and with what."""
    host = walk.host
    with walk.sentence("control-plane.forwarded"):
        for path in FORWARDED:
            equal(expect(host.nobody.get(path), 200).json["echo"], path, "path upstream")
        person = host.person()
        sent = expect(person.post("/cp/orgs?dry=1&x=%20y", {"name": "n"}), 200).json
        equal(sent["method"], "POST", "method")
        equal(last(host, "/cp/orgs").target, "/cp/orgs?dry=1&x=%20y", "target with its query")
        equal(sent["body"], '{"name": "n"}', "body")
        for method in ("PUT", "PATCH", "DELETE"):
            equal(expect(person.ask(method, "/cp/orgs/one", {}), 200).json["method"], method, "method")
    with walk.sentence("control-plane.cookie"):
        expect(host.client(Cookie="cp_session=mine; theme=dark").get("/cp/auth/me"), 200)
        equal(last(host, "/cp/auth/me").headers.get("Cookie"), "cp_session=mine; theme=dark", "Cookie")
    with walk.sentence("control-plane.authorization"):
        expect(host.client(Authorization="Bearer of-the-control-plane").get("/cp/auth/me"), 200)
        equal(last(host, "/cp/auth/me").headers.get("Authorization"), "Bearer of-the-control-plane", "Authorization")
    with walk.sentence("control-plane.host"):
        equal(last(host, "/cp/auth/me").headers.get("Host"), host.plane.authority, "Host")


def never(walk):
    """What must not match."""
    host = walk.host

    def refused(*paths):
        """None of these goes on."""
        before = len(host.plane.asked)
        for path in paths:
            expect(host.nobody.get(path), 404)
        equal([str(a) for a in host.plane.asked[before:]], [], "requests upstream")

    with walk.sentence("control-plane.others"):
        refused("/cp", "/cp/", "/cp/auth", "/cp/billing", "/cp/legal", "/cp/admin", "/cp/internal/x", "/cp/users/1")
    with walk.sentence("control-plane.segments"):
        refused("/cp/orgsx", "/cp/orgs.json", "/cp/templatesx/a", "/cp/authx/me", "/cpx/orgs", "/cp/Orgs", "/CP/orgs")
    with walk.sentence("control-plane.dots"):
        refused("/cp/orgs/../admin", "/cp/auth/../internal/x", "/cp/orgs/..", "/cp/auth/./me", "/cp/auth/%2e%2e/admin",
                "/cp/auth/%2E./admin", "/cp/auth/.%2e/admin", "/cp/auth/..;/admin")
    with walk.sentence("control-plane.slashes"):
        refused("/cp/auth/%2fadmin", "/cp/orgs%2Fone", "/cp/auth//me", "/cp//orgs", "//cp/orgs", "/cp/auth/a%5cb", "/cp/auth/a%2Fb")


def ours(walk):
    """What is ours stays here."""
    host = walk.prepare()
    control_plane = {k: host.environment.pop(k) for k in ("CP_UPSTREAM_URL", "MOLECULE_ORG_SLUG")}
    operator = console.sign_in(host.start())
    host.stop()
    host.environment |= control_plane
    host.start()
    with walk.sentence("control-plane.our-cookies"):
        own = operator.headers["Cookie"]
        expect(host.client(Cookie=f"theme=dark; {own}; cp_session=mine").get("/cp/auth/me"), 200)
        went = last(host, "/cp/auth/me").headers.get("Cookie") or ""
        holds(own.split("=", 1)[1] not in went, "no cookie of ours upstream", went)
        holds("theme=dark" in went and "cp_session=mine" in went, "the others upstream", went)
    with walk.sentence("control-plane.our-bearers"):
        holders = [agent(host), host.admin, workspace_token(host, workspace(host.person(), "w")), host.provisioner]
        revoked = agent(host)
        expect(host.person().delete(f"/org/tokens/{revoked.token['id']}"), 200)
        for client in [*holders, revoked]:
            client.get("/cp/orgs/ours")
            secret = (client.headers.get("Authorization") or client.headers.get("X-Provision-Token")).removeprefix("Bearer ")
            leaked = [str(a) for a in asked(host, "/cp/orgs/ours") if secret in str(a)]
            equal(leaked, [], "requests upstream with a bearer of ours")
    with walk.sentence("control-plane.set-cookie"):
        name = own.split("=", 1)[0]
        host.plane.extra_headers = [("Set-Cookie", f"{name}=forged; Path=/"), ("Set-Cookie", "cp_session=new; Path=/")]
        answer = expect(host.nobody.get("/cp/auth/me"), 200)
        found = [pair for pair, _ in console.cookies(answer)]
        equal(found, ["cp_session=new"], "cookies set")
    with walk.sentence("control-plane.service-worker"):
        host.plane.extra_headers = [("Service-Worker-Allowed", "/")]
        answer = host.nobody.get("/cp/templates")
        equal(expect(answer, 200).header("Service-Worker-Allowed"), None, "Service-Worker-Allowed")
        script = host.nobody.also(Service_Worker="script", Sec_Fetch_Dest="serviceworker").get("/cp/templates/worker.js")
        kind = script.header("Content-Type") or ""
        holds(script.status >= 400 or "javascript" not in kind, "no script for a service worker", f"{script} as {kind}")
    host.plane.extra_headers = []


def absent(walk):
    """No control plane, or none that answers."""
    with walk.sentence("control-plane.unset"):
        host = walk.start(CP_UPSTREAM_URL=None, MOLECULE_ORG_SLUG=None)
        for path in FORWARDED:
            expect(host.nobody.get(path), 404)
    with walk.sentence("control-plane.down"):
        host = walk.start()
        host.plane.stop()
        answer = expect(host.nobody.get("/cp/orgs"), 502)
        holds("control plane unavailable" in answer.text, "`control plane unavailable`", str(answer))


SCENES = [forwarding, never, ours, absent]
