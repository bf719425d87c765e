"""Policies: reading and changing them."""

import component
import console
from deeds import agent
from wire import Unwalkable, equal, expect, holds, shape

BROKEN = b"no component at all"
OPERATOR = {"COUNTERSIGN_OPERATORS": "control-plane:olga"}


def generation(client):
    """The number of the live generation."""
    return expect(client.get("/policies"), 200).json["generation"]


def items(answer, name):
    """The rows of a list that may stand alone or in a member of that name."""
    found = expect(answer, 200).json
    rows = found.get(name) if isinstance(found, dict) else found
    holds(isinstance(rows, list), f"an array, alone or in `{name}`", str(answer))
    return rows


def modes(client):
    """The modes of the modules that are live."""
    return sorted(module["mode"] for module in expect(client.get("/policies"), 200).json["modules"])


def reading(walk):
    """What is live, and what was."""
    host = walk.start()
    person = host.person()
    with walk.sentence("policies.list"):
        found = shape(expect(person.get("/policies"), 200).json, {"generation": int, "modules": list})
        for module in found["modules"]:
            shape(module, {"name": str, "version": str, "digest": str, "mode": str, "settings": (dict, list)})
            holds(module["mode"] in ("enforce", "shadow"), "enforce or shadow", module["mode"])
        equal([m["name"] for m in found["modules"]], ["baseline"], "names")
    with walk.sentence("policies.generations"):
        rows = items(person.get("/policies/generations"), "generations")
        holds(str(found["generation"]) in str(rows), "the live one among them", rows)
    with walk.sentence("policies.versions"):
        rows = items(person.get("/policies/baseline/versions"), "versions")
        holds(found["modules"][0]["digest"] in str(rows), "the live digest among them", rows)
        expect(person.get("/policies/nobody/versions"), 404)
    with walk.sentence("policies.last-error"):
        (host.data_dir / "policies" / "broken.wasm").write_bytes(BROKEN)
        for _ in range(25):
            answer = person.get("/policies")
            if "broken" in answer.text:
                break
            walk.pause(0.2)
        holds("broken" in answer.text, "the broken module and its error", str(answer))
        equal(answer.json["generation"], found["generation"], "generation")
        expect(agent(host).post("/org/tokens", {"name": "still gated"}), 202)


def compared(ask):
    """The answer to a change of policies, once the host has compared it with what decides."""
    for _ in range(10):
        answer = ask()
        if answer.status != 503 or answer.json.get("code") != "comparing":
            break
    return answer


def changing(walk):
    """Pushed, activated, rolled back."""
    module = component.baseline(walk)
    host = walk.start(**OPERATOR)
    olga = host.person("olga")
    before = generation(olga)
    with walk.sentence("policies.push-broken"):
        expect(olga.put("/policies/baseline", raw=BROKEN), (400, 422))
        equal(generation(olga), before, "generation")
    with walk.sentence("policies.push"):
        expect(olga.also(Content_Type="application/wasm").put("/policies/baseline", raw=module), (200, 201, 202))
        holds(items(olga.get("/policies/baseline/versions"), "versions"), "a version")
    with walk.sentence("policies.mode"):
        for client in (agent(host), host.admin, host.person("alice")):
            expect(client.put("/policies/baseline/mode", {"mode": "shadow"}), 403)
        expect(olga.put("/policies/baseline/mode", {"mode": "asleep"}), 400)
        equal(modes(olga), ["enforce"], "modes")
        candidate = {"digest": olga.get("/policies").json["modules"][0]["digest"], "settings": {"grant_ttl_seconds": 240}}
        expect(olga.put("/policies/baseline/mode", {"mode": "shadow"}), (400, 409))
        equal(modes(olga), ["enforce"], "modes: somebody has to decide")
        expect(compared(lambda: olga.put("/policies/baseline/mode", {"mode": "shadow", **candidate})), (200, 202))
        equal(modes(olga), ["enforce", "shadow"], "modes")
        expect(agent(host).post("/org/tokens", {"name": "whatever is in shadow"}), 202)
        expect(compared(lambda: olga.put("/policies/baseline/mode", {"mode": "enforce"})), (200, 202))
        equal(modes(olga), ["enforce"], "modes")
        holds("240" in str(olga.get("/policies").json["modules"][0]["settings"]), "the candidate", olga.get("/policies").text)
        expect(agent(host).post("/org/tokens", {"name": "whatever the mode"}), 202)
        expect(olga.post("/policies/rollback", {"generation": before}), (200, 202))
        before = generation(olga)
    with walk.sentence("policies.activate"):
        for modules in ("nonsense", [], [{"name": "baseline"}], [{"name": "nobody", "version": "0.0.1"}], [{"name": "baseline", "digest": "0" * 64}]):
            answer = olga.post("/policies/generations", {"modules": modules})
            holds(400 <= answer.status < 500, f"a refusal of {modules!r}", str(answer))
        equal(generation(olga), before, "generation")
        live = olga.get("/policies").json["modules"][0]
        changed = {"name": "baseline", "digest": live["digest"], "settings": {"grant_ttl_seconds": 300}}
        expect(compared(lambda: olga.post("/policies/generations", {"modules": [changed]})), (200, 201, 202))
        holds(generation(olga) > before, f"a generation after {before}", generation(olga))
        settings = str(olga.get("/policies").json["modules"][0]["settings"])
        holds("grant_ttl_seconds" in settings and "300" in settings, "the new setting", settings)
        expect(agent(host).post("/org/tokens", {"name": "still gated"}), 202)
    with walk.sentence("policies.rollback"):
        expect(olga.post("/policies/rollback", {"generation": before}), (200, 201, 202))
        equal(olga.get("/policies").json["modules"][0]["settings"], live["settings"], "the settings of then")
        expect(olga.post("/policies/rollback", {"generation": 99999}), (400, 404, 409))
        expect(olga.post("/policies/rollback", {"generation": "one"}), 400)
        expect(agent(host).post("/org/tokens", {"name": "still gated"}), 202)


def operators(walk):
    """Who may change them."""
    host = walk.start(**OPERATOR)
    with walk.sentence("policies.operators"):
        now = generation(host.person())
        for client, status in ((host.person("alice"), 403), (host.person("olga"), (200, 201, 202, 409))):
            expect(client.post("/policies/rollback", {"generation": now}), status)
        expect(host.person("alice").put("/policies/baseline", raw=BROKEN), 403)
        expect(host.person("alice").post("/policies/generations", {"modules": []}), 403)
    with walk.sentence("policies.agents"):
        for client in (agent(host), host.admin, host.admin.also(Cookie="cp_session=forged")):
            expect(client.put("/policies/baseline", raw=BROKEN), 403)
            expect(client.post("/policies/generations", {"modules": []}), 403)
            expect(client.post("/policies/rollback", {"generation": 1}), 403)
        expect(host.provisioner.put("/policies/baseline", raw=BROKEN), 403)


def by_default(walk):
    """Without COUNTERSIGN_OPERATORS."""
    with walk.sentence("policies.operators-default"):
        expect(walk.host.person().post("/policies/rollback", {"generation": 1}), 403)
        alone = walk.start(CP_UPSTREAM_URL=None, MOLECULE_ORG_SLUG=None)
        operator = console.sign_in(alone)
        expect(operator.post("/policies/rollback", {"generation": generation(operator)}), (200, 201, 202, 409))


SCENES = [reading, changing, operators, by_default]
