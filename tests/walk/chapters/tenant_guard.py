"""The tenant guard."""

import uuid

import console
from wire import expect, holds

ORG = str(uuid.UUID("6f1d1f4e-2f0e-4b5e-9d43-0d8a2c9b7a10"))
OTHER = str(uuid.UUID("11111111-2f0e-4b5e-9d43-0d8a2c9b7a10"))


def signs(walk):
    """The signs of the tenant."""
    host = walk.start(MOLECULE_ORG_ID=ORG)
    admin = host.admin
    with walk.sentence("tenant-guard.missing"):
        for client in (admin, host.person(), host.nobody):
            for path in ("/org/tokens", "/workspaces", "/approvals/pending", "/policies"):
                expect(client.get(path), 404)
        expect(admin.post("/org/tokens", {"name": "x"}), 404)
    with walk.sentence("tenant-guard.header"):
        expect(admin.also(X_Molecule_Org_Id=ORG).get("/org/tokens"), 200)
        expect(admin.also(X_Molecule_Org_Id=ORG).post("/org/tokens", {"name": "x"}), 202)
    with walk.sentence("tenant-guard.wrong-header"):
        for wrong in (OTHER, "", ORG[:-1], ORG + "0", "null"):
            expect(admin.also(X_Molecule_Org_Id=wrong).get("/org/tokens"), 404)
    with walk.sentence("tenant-guard.fly"):
        for source in (f"instance=1;region=ams;t=123;state={ORG}", f"state={ORG}"):
            expect(admin.also(Fly_Replay_Src=source).get("/org/tokens"), 200)
    with walk.sentence("tenant-guard.wrong-fly"):
        for source in (f"instance=1;state={OTHER}", f"instance={ORG}", f"xstate={ORG}", f"state={ORG}0", ORG):
            expect(admin.also(Fly_Replay_Src=source).get("/org/tokens"), 404)
    with walk.sentence("tenant-guard.own-pages"):
        page = {"Sec_Fetch_Site": "same-origin", "Origin": host.url, "Referer": host.url + "/console"}
        expect(host.person().also(**page).get("/org/tokens"), 200)
        expect(host.person().also(**page).post("/org/tokens", {"name": "from our page"}), 200)
        foreign = {"Sec_Fetch_Site": "cross-site", "Origin": "https://elsewhere.example", "Referer": "https://elsewhere.example/"}
        expect(host.person().also(**foreign).get("/org/tokens"), 404)
    with walk.sentence("tenant-guard.no-authentication"):
        for headers in ({"X_Molecule_Org_Id": ORG}, {"Fly_Replay_Src": f"state={ORG}"}):
            expect(host.nobody.also(**headers).get("/org/tokens"), 401)
            expect(host.bearer("wrong").also(**headers).get("/org/tokens"), 401)


def passes(walk):
    """What needs no sign."""
    host = walk.start(MOLECULE_ORG_ID=ORG)
    nobody = host.nobody
    with walk.sentence("tenant-guard.probes"):
        for path in ("/health", "/ready", "/metrics"):
            expect(nobody.get(path), 200)
    with walk.sentence("tenant-guard.exactly"):
        for path in ("/health/", "/healthz", "/ready/x", "/metrics/x", "/health/../org/tokens", "/consolex", "/cpx"):
            expect(host.admin.get(path), 404)
    with walk.sentence("tenant-guard.control-plane"):
        expect(nobody.get("/cp/orgs"), 200)
    with walk.sentence("tenant-guard.console"):
        answer = nobody.get("/console")
        holds(answer.status in (200, 302, 303, 401), "the console or the way to sign in", str(answer))
        alone = walk.start(CP_UPSTREAM_URL=None, MOLECULE_ORG_SLUG=None, MOLECULE_ORG_ID=ORG)
        browser = alone.nobody
        page = expect(browser.get(console.link(alone)), 200).text
        assets = [part.split('"')[0] for part in page.split('="')[1:] if part.startswith("/console/assets/")]
        holds(assets, "assets on the page")
        for asset in assets:
            expect(browser.get(asset), 200)
        holder = console.sign_in(alone)
        expect(holder.also(Sec_Fetch_Site="none").get("/console"), (200, 302, 303))


def off(walk):
    """Without MOLECULE_ORG_ID."""
    with walk.sentence("tenant-guard.off"):
        expect(walk.host.admin.get("/org/tokens"), 200)
        expect(walk.host.admin.also(X_Molecule_Org_Id=OTHER).get("/org/tokens"), 200)


SCENES = [signs, passes, off]
