"""The key that secrets are stored under."""

import base64
import os
import stat

from wire import equal, expect, holds
from chapters.configuration import check, refused


def key_file(walk):
    """Without a setting, a key of the host's own."""
    host = walk.start()
    expect(host.person().put("/settings/secrets", {"key": "K", "value": "v"}), 200)
    with walk.sentence("configuration.secrets-key-file"):
        keys = [path for path in host.data_dir.iterdir() if path.is_file() and "key" in path.name]
        holds(keys, "a key file in the data folder", sorted(p.name for p in host.data_dir.iterdir()))
        for path in keys:
            equal(oct(stat.S_IMODE(path.stat().st_mode)), oct(0o600), f"mode of {path.name}")


def key_setting(walk):
    """32 bytes, in base64 or in hex, and nothing else."""
    key = os.urandom(32)
    with walk.sentence("configuration.secrets-key-forms"):
        for text in (key.hex(), base64.b64encode(key).decode()):
            code, said = check(walk.prepare(), SECRETS_ENCRYPTION_KEY=text)
            equal(code, 0, f"exit code of `config check` ({said[:300]!r})")
        one = walk.start(SECRETS_ENCRYPTION_KEY=key.hex())
        expect(one.person().put("/settings/secrets", {"key": "K", "value": "v"}), 200)
        one.stop()
        one.environment["SECRETS_ENCRYPTION_KEY"] = base64.b64encode(key).decode()
        one.start()
    with walk.sentence("configuration.secrets-key-length"):
        for wrong in (key[:31], key + b"x"):
            for text in (wrong.hex(), base64.b64encode(wrong).decode()):
                refused(walk.prepare(), "SECRETS_ENCRYPTION_KEY", SECRETS_ENCRYPTION_KEY=text)


SCENES = [key_file, key_setting]
