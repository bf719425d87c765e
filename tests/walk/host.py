"""Starts and stops a host of its own: a process, a free port, a folder that is thrown away."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from wire import Client, Mismatch
from witness import Witness

START_DEADLINE = 120


GIVEN = set()


def free_port():
    """A loopback port that nobody uses now, and that was given to nobody before."""
    while True:
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            port = door.getsockname()[1]
        if port not in GIVEN:
            GIVEN.add(port)
            return port


class Host:
    """One host and the callers that speak to it."""

    def __init__(self, binary, environment, plane=None, flags=(), data_dir=None, port=None):
        self.binary = binary
        self.plane = plane
        self.flags = list(flags)
        self.folder = Path(tempfile.mkdtemp(prefix="walk-"))
        self.data_dir = Path(data_dir) if data_dir else self.folder / "data"
        self.port = port or free_port()
        self.address = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.witness = Witness()
        self.process = None
        self.environment = {
            "COUNTERSIGN_LISTEN": f"127.0.0.1:{self.port}",
            "COUNTERSIGN_DATA_DIR": str(self.data_dir),
            **environment,
        }
        self.environment = {k: v for k, v in self.environment.items() if v is not None}
        self.admin_token = self.environment.get("ADMIN_TOKEN")

    def command(self, *arguments, timeout=120, **changes):
        """Run another command of the binary with this host's environment."""
        environment = {k: v for k, v in {**self._environment(), **changes}.items() if v is not None}
        return subprocess.run(
            [self.binary, *arguments], env=environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout, check=False,
        )

    def start(self, output=None):
        """Start it and wait until it is ready; it prints into a file, unless into this terminal."""
        with open(self.folder / "output", "ab") as file:
            self.process = subprocess.Popen(
                [self.binary, "serve", *self.flags], env=self._environment(), cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=output or file, stderr=file if output else subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_DEADLINE
        probe = Client(self.address, timeout=5)
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Mismatch(f"the host ended at its start with {self.process.returncode}: {self.output()[-600:]}")
            try:
                if probe.get("/ready").status == 200:
                    return self
            except Mismatch:
                pass
            time.sleep(0.05)
        self.stop()
        raise Mismatch(f"the host was not ready after {START_DEADLINE} s: {self.output()[-600:]}")

    def stop(self):
        """End the process that this object started."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.process = None

    def discard(self):
        """End it and throw its folder away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def output(self):
        """All that it has printed."""
        try:
            return (self.folder / "output").read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def stored(self, text):
        """The files of the data folder in which these bytes occur."""
        wanted = text.encode()
        files = [path for path in self.data_dir.rglob("*") if path.is_file()]
        return [str(path.relative_to(self.data_dir)) for path in files if wanted in path.read_bytes()]

    def client(self, **headers):
        """A caller with these headers; underscores are hyphens."""
        return Client(self.address, {k.replace("_", "-"): v for k, v in headers.items()}, witness=self.witness)

    @property
    def nobody(self):
        """A caller without a credential."""
        return self.client()

    @property
    def admin(self):
        """A caller with ADMIN_TOKEN."""
        return self.bearer(self.admin_token)

    @property
    def provisioner(self):
        """A caller with PROVISION_TOKEN."""
        return self.client(X_Provision_Token=self.environment["PROVISION_TOKEN"])

    def bearer(self, plaintext):
        """A caller with this bearer."""
        return self.client(Authorization=f"Bearer {plaintext}")

    def person(self, user="alice"):
        """Somebody whom the control plane knows, on a browser page of the host's own."""
        return self.holder(self.plane.admit(user))

    def holder(self, cookie):
        """Whoever holds this cookie, on a browser page of the host's own."""
        client = self.client(Cookie=cookie)
        client.proof = {"Sec-Fetch-Site": "same-origin"}
        return client

    def _environment(self):
        return {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), **self.environment}


def usual(plane):
    """The settings of most hosts of the walk: everything configured, limits out of the way."""
    return {
        "ADMIN_TOKEN": "walk-admin-" + secrets.token_urlsafe(24),
        "PROVISION_TOKEN": "walk-provision-" + secrets.token_urlsafe(32),
        "CP_UPSTREAM_URL": plane.url,
        "MOLECULE_ORG_SLUG": plane.slug,
        "RATE_LIMIT": "1000000",
        "MINT_LIMIT": "0",
    }
