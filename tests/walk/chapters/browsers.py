"""What a page of a browser may do, and which pages."""

import console
from deeds import agent, pending
from wire import equal, expect, holds

FRIEND = "https://canvas.example"


def csrf(walk):
    """State-changing requests on a session."""
    host = walk.host
    bare = host.client(Cookie=host.plane.admit("alice"))

    def mint(**headers):
        """Mint on a session with these headers."""
        return bare.also(**headers).post("/org/tokens", {"name": "csrf"})

    with walk.sentence("browsers.session-without-proof"):
        expect(mint(), 403)
        expect(bare.put("/settings/secrets", {"key": "K", "value": "v"}), 403)
        expect(bare.delete("/settings/secrets/K"), 403)
    with walk.sentence("browsers.same-origin"):
        expect(mint(Sec_Fetch_Site="same-origin"), 200)
    with walk.sentence("browsers.cross-site"):
        for site in ("cross-site", "same-site", "none"):
            expect(mint(Sec_Fetch_Site=site), 403)
            expect(mint(Sec_Fetch_Site=site, Origin="https://elsewhere.example"), 403)
    with walk.sentence("browsers.exact-origin"):
        expect(mint(Origin=host.url), 200)
    with walk.sentence("browsers.foreign-origin"):
        origins = ["https://elsewhere.example", "null", host.url + ".elsewhere.example", f"http://127.0.0.1:{host.port + 1}"]
        for origin in origins + [host.url.replace("http", "https", 1)]:
            expect(mint(Origin=origin), 403)
    with walk.sentence("browsers.reads"):
        expect(bare.get("/org/tokens"), 200)
    with walk.sentence("browsers.bearers"):
        expect(agent(host).post("/workspaces", {"name": "bearer"}), 201)


def cors(walk):
    """Origins that are configured, and all others."""
    host = walk.start(CORS_ORIGINS=FRIEND, COUNTERSIGN_OPERATORS="control-plane:olga")
    preflight = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type"}
    with walk.sentence("browsers.cors-allowed"):
        answer = host.nobody.also(Origin=FRIEND, **preflight).ask("OPTIONS", "/org/tokens")
        expect(answer, (200, 204))
        equal(answer.header("Access-Control-Allow-Origin"), FRIEND, "Access-Control-Allow-Origin")
        holds("POST" in (answer.header("Access-Control-Allow-Methods") or ""), "POST among the methods", str(answer.headers))
        answer = agent(host).also(Origin=FRIEND).get("/workspaces")
        equal(expect(answer, 200).header("Access-Control-Allow-Origin"), FRIEND, "Access-Control-Allow-Origin")
    with walk.sentence("browsers.cors-others"):
        for origin in ("https://elsewhere.example", "null", FRIEND + ".elsewhere.example", "http://canvas.example"):
            for client in (host.nobody.also(Origin=origin, **preflight), agent(host).also(Origin=origin)):
                for answer in (client.ask("OPTIONS", "/org/tokens"), client.get("/workspaces")):
                    equal(answer.header("Access-Control-Allow-Origin"), None, f"Access-Control-Allow-Origin for {origin}")
    page = {"Origin": FRIEND, "Sec_Fetch_Site": "cross-site"}
    with walk.sentence("browsers.cors-session"):
        friend = host.person().also(**page)
        expect(friend.post("/org/tokens", {"name": "from the canvas"}), 200)
        expect(friend.get("/approvals/pending"), 200)
    with walk.sentence("browsers.cors-decide"):
        approval = pending(agent(host), "POST", "/org/tokens", {"name": "decide"})["approval_id"]
        expect(host.person("bob").also(**page).post(f"/approvals/{approval}/decide", {"decision": "approved"}), 403)
        equal(host.person().get(f"/approvals/{approval}").json["status"], "pending", "state")
    with walk.sentence("browsers.cors-policy"):
        olga = host.person("olga").also(**page)
        expect(olga.post("/policies/rollback", {"generation": 1}), 403)
        expect(olga.put("/policies/baseline", raw=b"no component"), 403)


def cors_sign_in(walk):
    """Signing in from a configured origin."""
    with walk.sentence("browsers.cors-sign-in"):
        host = walk.start(CP_UPSTREAM_URL=None, MOLECULE_ORG_SLUG=None, CORS_ORIGINS=FRIEND)
        form = console.form(host.nobody, console.link(host))
        expect(console.press(host.nobody, form, Origin=FRIEND), 403)
        expect(console.press(host.nobody, form, Origin=FRIEND, Sec_Fetch_Site="cross-site"), 403)


SCENES = [csrf, cors, cors_sign_in]
