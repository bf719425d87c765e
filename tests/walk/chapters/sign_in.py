"""The host's own login."""

import os
import re
import select
import stat
import time
from hashlib import sha256

import console
from deeds import agent, decide, mint, pending
from wire import equal, expect, holds

NOT_SIGNED_IN, OUT_OF_REACH = 5, 6  # exit codes, as `--help` has them


def alone(walk, **settings):
    """A host that has no control plane."""
    return walk.start(CP_UPSTREAM_URL=None, MOLECULE_ORG_SLUG=None, **settings)


def the_link(walk):
    """Where the link is, and where it is not."""
    host = alone(walk)
    with walk.sentence("sign-in.link-file"):
        path = console.link(host)
        expect(host.nobody.get(path), 200)
    with walk.sentence("sign-in.link-mode"):
        mode = stat.S_IMODE((host.data_dir / "login-link").stat().st_mode)
        equal(oct(mode), oct(0o600), "mode")
    with walk.sentence("sign-in.link-named"):
        holds(str(host.data_dir / "login-link") in host.output(), "the file's name in the output", host.output()[:400])
    with walk.sentence("sign-in.link-not-logged"):
        secret = max(re.findall(r"[\w-]{16,}", path), key=len)
        console.sign_in(host)
        holds(secret not in host.output(), "no link in the output", host.output()[-400:])
    with walk.sentence("sign-in.no-link"):
        holds(not (walk.host.data_dir / "login-link").exists(), "no login-link beside a control plane")


def the_button(walk):
    """What the link does, and how often."""
    host = alone(walk)
    browser = host.nobody
    path = console.link(host)
    form = console.form(browser, path)
    with walk.sentence("sign-in.button"):
        holds(form.button, "a button in the form")
    with walk.sentence("sign-in.get-consumes-nothing"):
        for _ in range(3):
            answer = browser.get(path)
            holds(not console.cookies(expect(answer, 200)), "no cookie by GET", str(answer))
    with walk.sentence("sign-in.post-same-origin"):
        for headers in ({}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "https://elsewhere.example"}):
            answer = expect(console.press(browser, form, **headers), 403)
            holds(not console.cookies(answer), "no cookie", str(answer))
    with walk.sentence("sign-in.post"):
        answer = console.press(browser, form, Sec_Fetch_Site="same-origin")
        expect(answer, (200, 302, 303))
        pair, attributes = console.cookies(answer)[0]
        expect(host.holder(pair).get("/org/tokens"), 200)
    with walk.sentence("sign-in.once"):
        again = console.press(browser, form, Sec_Fetch_Site="same-origin")
        holds(again.status >= 400 and not console.cookies(again), "a refusal", str(again))
    with walk.sentence("sign-in.cookie"):
        for word in ("httponly", "samesite=strict"):
            holds(word in attributes, word, attributes)
    with walk.sentence("sign-in.hashed"):
        walk.only_on("sqlite")
        equal(host.stored(pair.split("=", 1)[1]), [], "files with the cookie")


def https(walk):
    """The cookie under https."""
    with walk.sentence("sign-in.cookie-https"):
        host = alone(walk, COUNTERSIGN_PUBLIC_URL="https://walk.example")
        holder = console.sign_in(host, Host="walk.example")
        for pair, attributes in holder.set_cookies:
            holds(pair.startswith("__Host-"), "a name that starts with __Host-", pair.split("=")[0])
            for word in ("secure", "path=/", "httponly", "samesite=strict"):
                holds(word in attributes, word, attributes)


def the_person(walk):
    """Who signs in by a link."""
    host = alone(walk)
    first = console.sign_in(host)
    with walk.sentence("sign-in.issuer"):
        made = mint(first, name="by operator")["id"]
        listed = {t["id"]: t for t in first.get("/org/tokens").json["tokens"]}
        user = listed[made]["created_by_user"]
        equal(listed[made]["created_by"], "session:" + sha256(b"operator\0" + user.encode()).hexdigest()[:16], "created_by")
    with walk.sentence("sign-in.decides"):
        approval = pending(agent(host, minter=first), "POST", "/org/tokens", {"name": "asked"})["approval_id"]
        decide(first, approval)
    with walk.sentence("sign-in.one-person"):
        host.stop()
        host.start()
        second = console.sign_in(host)
        made_too = mint(second, name="by operator again")["id"]
        listed = {t["id"]: t["created_by"] for t in second.get("/org/tokens").json["tokens"]}
        equal(listed[made_too], listed[made], "created_by of another session")


def by_command(walk):
    """`countersign login` beside a running host."""
    host = walk.host
    with walk.sentence("sign-in.login-command"):
        done = host.command("login", "--browser")
        equal(done.returncode, 0, f"exit code of `login --browser` ({done.stderr[:300]!r})")
        holds(str(host.data_dir / "login-link") in done.stdout + done.stderr, "the file's name in the output", done.stdout[:300])
        holder = console.sign_in(host)
        expect(holder.get("/org/tokens"), 200)


def command_line(walk):
    """The command line's own session: kept, used, and ended."""
    host = alone(walk)
    place = {"XDG_CONFIG_HOME": str(host.folder / "config")}
    kept = host.folder / "config" / "countersign" / "session.json"

    def lists():
        """The exit code of a command that talks HTTP."""
        return host.command("approval", "list", **place).returncode

    with walk.sentence("health.command-line"):
        equal(lists(), NOT_SIGNED_IN, "exit code before signing in")
        done = host.command("login", **place)
        equal(done.returncode, 0, f"exit code of `login` ({done.stderr[:300]!r})")
        equal(oct(stat.S_IMODE(kept.stat().st_mode)), oct(0o600), "mode of session.json")
        equal(lists(), 0, "exit code of a command")
    with walk.sentence("sign-in.revocable"):
        session = kept.read_bytes()
        equal(host.command("logout", **place).returncode, 0, "exit code of `logout`")
        equal(lists(), NOT_SIGNED_IN, "exit code after signing out")
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch(0o600)
        kept.write_bytes(session)
        equal(lists(), NOT_SIGNED_IN, "exit code with a session that was ended")
    with walk.sentence("health.command-line"):
        equal(host.command("login", **place).returncode, 0, "exit code of `login`")
        host.stop()
        equal(lists(), OUT_OF_REACH, "exit code while no host runs")


def read_until(terminal, words, seconds=10):
    """What a terminal shows until these words are there: it comes in as many pieces as it is written in."""
    shown, end = "", time.monotonic() + seconds
    while words not in shown and select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
        shown += os.read(terminal, 65536).decode("utf-8", "replace")
    return shown


def on_a_terminal(walk):
    """The link on a terminal."""
    host = walk.prepare(CP_UPSTREAM_URL=None, MOLECULE_ORG_SLUG=None)
    with walk.sentence("sign-in.terminal-only"):
        near, far = os.openpty()
        try:
            host.start(output=far)
            shown = read_until(near, "link=")
        finally:
            os.close(far)
            os.close(near)
        holds(re.search(r"https?://\S+sign-in\S*link=", shown), "the link on the terminal", shown[:400])
        holds(not (host.data_dir / "login-link").exists(), "no file with it")


SCENES = [the_link, the_button, https, the_person, by_command, command_line, on_a_terminal]
