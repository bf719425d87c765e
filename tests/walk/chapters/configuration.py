"""Where settings come from, and what `config check` says of mistakes."""

import time
import uuid

from deeds import agent, mint, pending
from host import free_port
from wire import Client, equal, expect, holds, Mismatch


def check(host, **changes):
    """Run `config check` with these changes; exit code and all that it said."""
    done = host.command("config", "check", **changes)
    return done.returncode, done.stdout + done.stderr


def refused(host, words, **changes):
    """`config check` refuses these changes and names the setting."""
    code, said = check(host, **changes)
    if code == 0 or words not in said.replace("-", "_").upper():
        raise Mismatch(f"expected `config check` to refuse and name {words}, exit {code} and {said[:500]!r} came")


def answers_at(host, port):
    """Start it and say whether it serves on that port."""
    host.port, host.address = port, ("127.0.0.1", port)
    host.start()
    return expect(Client(("127.0.0.1", port)).get("/health"), 200)


def precedence(walk):
    """Flag, then environment, then file, then default."""
    with walk.sentence("configuration.flag-first"):
        port = free_port()
        answers_at(walk.prepare(flags=["--listen", f"127.0.0.1:{port}"], COUNTERSIGN_LISTEN=f"127.0.0.1:{free_port()}"), port)
    with walk.sentence("configuration.environment-second"):
        port = free_port()
        host = walk.prepare(COUNTERSIGN_LISTEN=f"127.0.0.1:{port}")
        host.environment["COUNTERSIGN_CONFIG"] = write(host, f'listen = "127.0.0.1:{free_port()}"\n')
        answers_at(host, port)
    with walk.sentence("configuration.file-third"):
        port = free_port()
        host = walk.prepare(COUNTERSIGN_LISTEN=None)
        host.environment["COUNTERSIGN_CONFIG"] = write(host, f'listen = "127.0.0.1:{port}"\n')
        answers_at(host, port)


def write(host, text):
    """A TOML file in the host's folder; its path."""
    path = host.folder / "countersign.toml"
    path.write_text(text, "utf-8")
    return str(path)


def mistakes(walk):
    """What `config check` refuses."""
    host = walk.prepare()
    with walk.sentence("configuration.check-clean"):
        code, said = check(host)
        equal(code, 0, f"exit code of `config check` ({said[:300]!r})")
    with walk.sentence("configuration.check-every-mistake"):
        wrong = {"COUNTERSIGN_LISTEN": "nowhere", "CP_UPSTREAM_URL": "ftp://x", "LIVE_TOKEN_LIMIT": "many"}
        code, said = check(host, **wrong)
        shown = said.replace("-", "_").upper()
        missing = [name for name in wrong if name.removeprefix("COUNTERSIGN_") not in shown]
        holds(code != 0 and not missing, "exit not 0 and every mistake named", f"exit {code}, {missing} missing in {said[:600]!r}")
    with walk.sentence("configuration.unknown-key"):
        code, said = check(host, COUNTERSIGN_CONFIG=write(host, 'no_such_key = "x"\n'))
        holds(code != 0 and "no_such_key" in said, "the unknown key named", f"exit {code}, {said[:300]!r}")
    with walk.sentence("configuration.policy-folder-values"):
        refused(host, "POLICY_FOLDER", COUNTERSIGN_POLICY_FOLDER="anything")
        equal(check(host, COUNTERSIGN_POLICY_FOLDER="trusted")[0], 0, "exit code for trusted")
    with walk.sentence("configuration.policy-folder-reviewed"):
        equal(check(host, COUNTERSIGN_POLICY_FOLDER="reviewed")[0], 0, "exit code for reviewed")
    with walk.sentence("configuration.provision-token-short"):
        refused(host, "PROVISION_TOKEN", PROVISION_TOKEN="p" * 31)
        equal(check(host, PROVISION_TOKEN="p" * 32)[0], 0, "exit code for 32 bytes")
    with walk.sentence("configuration.provision-token-same"):
        refused(host, "PROVISION_TOKEN", PROVISION_TOKEN="s" * 40, ADMIN_TOKEN="s" * 40)
    with walk.sentence("configuration.control-plane-scheme"):
        for url in ("ftp://control.example", "file:///etc/passwd", "control.example"):
            refused(host, "CP_UPSTREAM_URL", CP_UPSTREAM_URL=url)
        for url in ("http://127.0.0.1:9", "https://control.example"):
            equal(check(host, CP_UPSTREAM_URL=url)[0], 0, f"exit code for {url}")
    with walk.sentence("configuration.operators-form"):
        refused(host, "OPERATORS", COUNTERSIGN_OPERATORS="nobody")
        equal(check(host, COUNTERSIGN_OPERATORS="control-plane:alice")[0], 0, "exit code for issuer:user")
    with walk.sentence("configuration.cors-star"):
        for origins in ("*", "null", "https://a.example,*"):
            refused(host, "CORS_ORIGINS", CORS_ORIGINS=origins)


def places(walk):
    """The data folder, the folder of modules, and the public URL."""
    with walk.sentence("configuration.listen-default"):
        code, said = check(walk.prepare(), COUNTERSIGN_LISTEN=None)
        holds(code == 0 and "127.0.0.1:8080" in said, "127.0.0.1:8080 in what `config check` would use", said[:300])
    with walk.sentence("configuration.data-dir-default"):
        host = walk.prepare(COUNTERSIGN_DATA_DIR=None).start()
        holds((host.folder / "countersign-data").is_dir(), "./countersign-data")
    with walk.sentence("configuration.public-url-default"):
        url = pending(agent(walk.host), "POST", "/org/tokens", {"name": "url"})["approve_url"]
        holds(url.startswith(walk.host.url + "/"), walk.host.url, url)
    with walk.sentence("configuration.public-url"):
        host = walk.start(COUNTERSIGN_PUBLIC_URL="https://walk.example")
        url = pending(host.admin, "POST", "/org/tokens", {"name": "url"})["approve_url"]
        holds(url.startswith("https://walk.example/"), "https://walk.example", url)
    with walk.sentence("configuration.policies-default"):
        watches(walk.host, walk.host.data_dir / "policies")
    with walk.sentence("configuration.policies-flag"):
        host = walk.prepare()
        folder = host.folder / "modules"
        folder.mkdir()
        host.flags += ["--policies", str(folder)]
        watches(host.start(), folder)
    with walk.sentence("configuration.database-default"):
        walk.only_on("sqlite")
        heads = [path.read_bytes()[:16] for path in walk.host.data_dir.iterdir() if path.is_file()]
        holds(b"SQLite format 3\0" in heads, "a SQLite database in the data folder")


def watches(host, folder):
    """A broken module in the folder shows among the policies within five seconds."""
    (folder / "walked.wasm").write_bytes(b"no component")
    person = host.person()
    deadline = time.monotonic() + 5
    while "walked" not in (shown := person.get("/policies")).text:
        holds(time.monotonic() < deadline, "the broken module named by GET /policies", str(shown))
        time.sleep(0.2)


def admin_token_unset(walk):
    """No ADMIN_TOKEN, no such caller."""
    with walk.sentence("configuration.admin-token-unset"):
        for value in (None, ""):
            host = walk.start(ADMIN_TOKEN=value)
            for header in ("Bearer ", "Bearer", "Bearer null", "Bearer undefined"):
                expect(host.client(Authorization=header).get("/org/tokens"), 401)
            expect(host.nobody.get("/org/tokens"), 401)


def anchor(walk):
    """The approval anchor and the org id behind it."""
    with walk.sentence("configuration.anchor-default"):
        org = str(uuid.uuid4())
        host = walk.start(MOLECULE_ORG_ID=org)
        admin = host.admin.also(X_Molecule_Org_Id=org)
        approval = pending(admin, "POST", "/org/tokens", {"name": "anchor"})["approval_id"]
        found = expect(admin.get(f"/approvals/{approval}"), 200).json["workspace_id"]
        equal(found, str(uuid.uuid5(uuid.UUID(org), "molecule-platform-agent")), "workspace_id")
    with walk.sentence("configuration.anchor-set"):
        wanted = str(uuid.uuid4())
        host = walk.start(MOLECULE_PLATFORM_WORKSPACE_ID=wanted)
        approval = pending(host.admin, "POST", "/org/tokens", {"name": "anchor"})["approval_id"]
        equal(expect(host.admin.get(f"/approvals/{approval}"), 200).json["workspace_id"], wanted, "workspace_id")
    with walk.sentence("configuration.org-id-kept"):
        host = walk.start()
        mint(host.person(), name="kept")
        before = expect(host.person().get("/org/tokens"), 200).json["tokens"][0].get("org_id")
        uuid.UUID(before)
        host.stop()
        host.start()
        mint(host.person(), name="kept")
        for token in expect(host.person().get("/org/tokens"), 200).json["tokens"]:
            equal(token.get("org_id"), before, "org_id after a restart")


SCENES = [precedence, mistakes, places, admin_token_unset, anchor]
