"""The host's own login as a browser meets it: a link, a page with a button, a cookie."""

import re
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

from wire import Mismatch, expect, holds

FORM = {"Content_Type": "application/x-www-form-urlencoded"}


class Form(HTMLParser):
    """The first form of a page: where it goes, what it carries, and whether it has a button."""

    def __init__(self, text):
        super().__init__()
        self.action = self.method = None
        self.fields = {}
        self.button = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Collect what belongs to the form."""
        found = dict(attrs)
        if tag == "form" and self.action is None:
            self.action, self.method = found.get("action"), (found.get("method") or "get").lower()
        if tag == "input" and found.get("name"):
            self.fields[found["name"]] = found.get("value") or ""
        if tag == "button" or (tag == "input" and found.get("type") == "submit"):
            self.button = True


def url(host):
    """The sign-in link that the host wrote."""
    path = host.data_dir / "login-link"
    holds(path.is_file(), f"a file {path.name} in the data folder")
    found = re.search(r"https?://\S+", path.read_text("utf-8"))
    holds(found, "a URL in login-link")
    return found[0]


def link(host):
    """Path and query of the sign-in link that the host wrote."""
    parts = urlsplit(url(host))
    return parts.path + ("?" + parts.query if parts.query else "")


def form(client, path):
    """The form on the page behind a link."""
    found = Form(expect(client.get(path), 200).text)
    if found.action is None or found.method != "post":
        raise Mismatch(f"expected a form that posts, action {found.action!r} method {found.method!r} came")
    return found


def press(client, found, **headers):
    """Press the button: post what the form carries."""
    return client.also(**FORM, **headers).ask("POST", found.action or "", raw=urlencode(found.fields))


def cookies(answer):
    """What an answer sets: each cookie's `name=value` and its attributes in small letters."""
    return [(line.split(";")[0].strip(), line.lower()) for line in answer.headers.get_all("Set-Cookie") or []]


def sign_in(host, **headers):
    """Sign in by the host's link as a program does; the holder of the new session and of its proof."""
    client = host.client(**{k: v for k, v in headers.items() if k == "Host"})
    answer = client.also(Sec_Fetch_Site="same-origin", **headers).post("/sign-in", {"link": url(host)})
    proof = expect(answer, 200).json["proof"]
    found = cookies(answer)
    holds(found, "a Set-Cookie", str(answer))
    holder = host.holder("; ".join(pair for pair, _ in found))
    holder.proof["X-Countersign-Proof"] = proof
    holder.set_cookies = found
    return holder
