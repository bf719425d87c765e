"""A small control plane on loopback: it answers for its people and remembers all that it was asked."""

import json
import threading
import time
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

COOKIE = "cp_session"


class Asked:
    """One request as it arrived."""

    def __init__(self, method, target, headers, body):
        self.method = method
        self.target = target
        self.path = urlsplit(target).path
        self.headers = headers
        self.body = body

    def __str__(self):
        return f"{self.method} {self.target} {dict(self.headers.items())}"


class Reply:
    """What the control plane says of a cookie."""

    def __init__(self, body, status=200, delay=0.0, headers=None, drop=False):
        self.body = body
        self.status = status
        self.delay = delay
        self.headers = headers or {}
        self.drop = drop


class ControlPlane:
    """The server, its people and its memory."""

    def __init__(self, slug="walk"):
        self.slug = slug
        self.replies = {}
        self.asked = []
        self.extra_headers = []
        self.inside = 0
        self.most_inside = 0
        self.lock = threading.Lock()
        self.made = 0
        plane = self

        class Handler(BaseHTTPRequestHandler):
            """Hands every request to the control plane."""

            protocol_version = "HTTP/1.1"

            def answer(self):
                """Read the request, answer it, and never log."""
                plane.answer(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *_):
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            """Takes as many connections at once as a test opens."""

            request_queue_size = 128
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.authority = self.url.removeprefix("http://")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        """Close the door."""
        self.server.shutdown()
        self.server.server_close()

    def admit(self, user):
        """A new cookie of that user, whom the control plane knows as a member."""
        return self.cookie(Reply({"member": True, "user_id": user}))

    def cookie(self, reply):
        """A new cookie of which the control plane says this."""
        with self.lock:
            self.made += 1
            value = f"c{self.made}x{time.time_ns():x}"
        self.replies[value] = reply
        return f"{COOKIE}={value}"

    def change(self, cookie, reply):
        """From now on the control plane says this of the cookie."""
        self.replies[cookie.split("=", 1)[1]] = reply

    def checks(self, cookie):
        """How often it was asked about this cookie."""
        return [a for a in self.asked if a.path == "/cp/auth/tenant-member" and cookie in (a.headers.get("Cookie") or "")]

    def answer(self, handler):
        """Answer one request: about a member, or with an echo of what came."""
        length = int(handler.headers.get("Content-Length") or 0)
        asked = Asked(handler.command, handler.path, handler.headers, handler.rfile.read(length))
        with self.lock:
            self.asked.append(asked)
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        try:
            self._reply(handler, self._choose(asked))
        finally:
            with self.lock:
                self.inside -= 1

    def _choose(self, asked):
        if asked.path.endswith(".js"):
            return Reply(b"// a worker", headers={"Content-Type": "text/javascript"})
        if asked.path != "/cp/auth/tenant-member":
            return Reply({"echo": asked.path, "method": asked.method, "body": asked.body.decode("utf-8", "replace")})
        cookie = SimpleCookie(asked.headers.get("Cookie") or "").get(COOKIE)
        slug = parse_qs(urlsplit(asked.target).query).get("slug")
        if cookie is None or slug != [self.slug]:
            return Reply({"member": False})
        return self.replies.get(cookie.value, Reply({"member": False}))

    def _reply(self, handler, reply):
        time.sleep(reply.delay)
        if reply.drop:
            handler.close_connection = True
            return
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        try:
            handler.send_response(reply.status)
            handler.send_header("Content-Length", str(len(body)))
            for name, value in [*({"Content-Type": "application/json"} | reply.headers).items(), *self.extra_headers]:
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:
            handler.close_connection = True
