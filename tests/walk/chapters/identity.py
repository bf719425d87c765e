"""People behind an identity-aware proxy."""

import json
import time
from hashlib import sha256

from assertions import Ecdsa, Ed25519, Rsa, assertion, b64, unsigned, with_hmac
from control_plane import Reply
from deeds import mint
from wire import equal, expect, holds

ISSUER = "https://edge.example"
AUDIENCE = "walk-audience"
HEADER = "X-Edge-Assertion"


def claims(**changes):
    """What the edge says of alice, now."""
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "email": "alice@walk.example", "iat": now, "exp": now + 300, **changes}


def settings(walk, jwks):
    """The settings by the words in their names, since the contract gives no names."""
    name = walk.settings.named
    return {
        name("IDENTITY|ASSERTION|JWT|OIDC|EDGE", "ISSUER"): ISSUER,
        name("IDENTITY|ASSERTION|JWT|OIDC|EDGE", "AUDIENCE"): AUDIENCE,
        name("IDENTITY|ASSERTION|JWT|OIDC|EDGE", "HEADER"): HEADER,
        name("IDENTITY|ASSERTION|JWT|OIDC|EDGE", "JWKS|KEYS"): jwks,
        name("IDENTITY|ASSERTION|JWT|OIDC|EDGE", "USERS|ALLOW|PEOPLE"): "alice,bob",
        "COUNTERSIGN_TRUSTED_PROXIES": "127.0.0.1",
    }


def key_file(host, keys):
    """A JWKS file with these keys; its path."""
    path = host.folder / "jwks.json"
    path.write_text(json.dumps({"keys": [key.jwk() for key in keys]}), "utf-8")
    return str(path)


def behind_edge(walk, keys, **changes):
    """A host that trusts loopback as its edge."""
    host = walk.prepare()
    changed = {**host.environment, **settings(walk, key_file(host, keys)), **changes}
    host.environment = {name: value for name, value in changed.items() if value is not None}
    return host.start()


def holder(host, token):
    """Who comes with this assertion, on a page of the host's own."""
    client = host.client(**{HEADER.replace("-", "_"): token})
    client.proof = {"Sec-Fetch-Site": "same-origin"}
    return client


def people(walk):
    """Assertions that are good, in each algorithm."""
    keys = [Rsa(), Ecdsa(), Ed25519()]
    host = behind_edge(walk, keys)
    with walk.sentence("identity.jwks-file"):
        expect(holder(host, assertion(keys[0], claims())).get("/org/tokens"), 200)
    with walk.sentence("identity.rs256"):
        expect(holder(host, assertion(keys[0], claims())).get("/org/tokens"), 200)
    with walk.sentence("identity.es256"):
        expect(holder(host, assertion(keys[1], claims())).get("/org/tokens"), 200)
    with walk.sentence("identity.eddsa"):
        expect(holder(host, assertion(keys[2], claims())).get("/org/tokens"), 200)
    with walk.sentence("identity.person"):
        alice = holder(host, assertion(keys[0], claims()))
        made = mint(alice, name="by edge")["id"]
        token = next(t for t in alice.get("/org/tokens").json["tokens"] if t["id"] == made)
        users = ("alice", "alice@walk.example")
        wanted = ["session:" + sha256(b"identity-assertion\0" + user.encode()).hexdigest()[:16] for user in users]
        holds(token["created_by"] in wanted, f"created_by of issuer identity-assertion, {wanted}", token["created_by"])


def named(walk):
    """The person by another claim, and people by their group."""
    key = Ed25519()
    with walk.sentence("identity.person-claim"):
        host = behind_edge(walk, [key], COUNTERSIGN_ASSERTION_PERSON_CLAIM="email", COUNTERSIGN_ASSERTION_USERS="alice@walk.example")
        alice = holder(host, assertion(key, claims()))
        made = mint(alice, name="by her address")["id"]
        token = next(t for t in alice.get("/org/tokens").json["tokens"] if t["id"] == made)
        equal(token["created_by_user"], "alice@walk.example", "created_by_user")
        expect(holder(host, assertion(key, claims(email=None))).get("/org/tokens"), 401)
        expect(holder(host, assertion(key, claims(email="alice"))).get("/org/tokens"), 401)
    with walk.sentence("identity.allowed-group"):
        host = behind_edge(walk, [key], COUNTERSIGN_ASSERTION_USERS=None, COUNTERSIGN_ASSERTION_GROUPS="operators")
        expect(holder(host, assertion(key, claims(groups=["others", "operators"]))).get("/org/tokens"), 200)
        for groups in (["others"], [], None, "operat", ["operators "]):
            expect(holder(host, assertion(key, claims(groups=groups))).get("/org/tokens"), 401)


def refused(walk):
    """Assertions that are not good."""
    key, other = Ed25519(), Ed25519()
    host = behind_edge(walk, [key])
    now = int(time.time())

    def no(token):
        """This assertion is nobody."""
        expect(holder(host, token).get("/org/tokens"), 401)

    expect(holder(host, assertion(key, claims())).get("/org/tokens"), 200)
    with walk.sentence("identity.other-algorithms"):
        no(unsigned(claims()))
        no(with_hmac(key, claims()))
    with walk.sentence("identity.signature"):
        no(assertion(other, claims()))
        good = assertion(key, claims())
        no(good[:-8] + "AAAAAAAA")
        head, _, sign = good.split(".")
        no(f"{head}.{b64(json.dumps(claims(sub='bob')).encode())}.{sign}")
    with walk.sentence("identity.exp"):
        no(assertion(key, claims(exp=None)))
        no(assertion(key, claims(iat=now - 590, exp=now - 300)))
    with walk.sentence("identity.iat"):
        no(assertion(key, claims(iat=None)))
        no(assertion(key, claims(iat=now + 400, exp=now + 600)))
    with walk.sentence("identity.aud"):
        no(assertion(key, claims(aud="another")))
        no(assertion(key, claims(aud=None)))
    with walk.sentence("identity.iss"):
        no(assertion(key, claims(iss="https://elsewhere.example")))
        no(assertion(key, claims(iss=None)))
    with walk.sentence("identity.sub"):
        no(assertion(key, claims(sub="")))
        no(assertion(key, claims(sub=None)))
    with walk.sentence("identity.life"):
        no(assertion(key, claims(iat=now, exp=now + 1200)))
    with walk.sentence("identity.service"):
        for marks in ({"common_name": "ci.edge.example"}, {"email": "robot@project.iam.gserviceaccount.com"}, {"gty": "client-credentials"},
                      {"idtyp": "app"}, {"preferred_username": "service-account-ci"}):
            no(assertion(key, claims(**marks)))
    with walk.sentence("identity.allowed"):
        no(assertion(key, claims(sub="mallory", email="mallory@walk.example")))


def where_from(walk):
    """Who may bring an assertion, and where keys come from."""
    key = Ed25519()
    with walk.sentence("identity.untrusted-proxy"):
        host = behind_edge(walk, [key], COUNTERSIGN_TRUSTED_PROXIES="192.0.2.1")
        expect(holder(host, assertion(key, claims())).get("/org/tokens"), 401)
    with walk.sentence("identity.jwks-url"):
        host = walk.prepare()
        host.environment |= settings(walk, host.plane.url + "/keys.json")
        choose = host.plane._choose
        host.plane._choose = lambda asked: Reply({"keys": [key.jwk()]}) if asked.path == "/keys.json" else choose(asked)
        host.start()
        expect(holder(host, assertion(key, claims())).get("/org/tokens"), 200)


SCENES = [people, named, refused, where_from]
