"""Names, reasons and keys: which characters they may have."""

from deeds import agent, mint, pending
from wire import equal, expect


def names(walk):
    """Names of tokens and workspaces."""
    host = walk.host
    person = host.person()

    def refused(*characters):
        """None of these is taken in a name."""
        for character in characters:
            expect(person.post("/org/tokens", {"name": f"a{character}b"}), 400)
            expect(person.post("/workspaces", {"name": f"a{character}b"}), 400)

    with walk.sentence("names.nfc"):
        made = mint(person, name="cafe\u0301")
        equal(made["name"], "caf\u00e9", "name")
        equal(expect(person.post("/workspaces", {"name": "cafe\u0301"}), 201).json["name"], "caf\u00e9", "name")
    with walk.sentence("names.control"):
        refused("\u0000", "\u0007", "\n", "\r", "\t", "\u001b", "\u007f", "\u0085")
    with walk.sentence("names.format"):
        refused("\u200b", "\u200d", "\ufeff", "\u00ad", "\u2060")
    with walk.sentence("names.bidirectional"):
        refused("\u202a", "\u202e", "\u2066", "\u2069", "\u200e", "\u061c")
    with walk.sentence("names.line-separator"):
        refused("\u2028", "\u2029")
    with walk.sentence("names.invisible"):
        refused("\ufe0f", "\u034f", "\u2800", "\u3164", "\U000e0100")


def reasons(walk):
    """The reason of a decision, and of somebody who asks ahead."""
    host = walk.host
    with walk.sentence("names.reasons"):
        approval = pending(agent(host), "POST", "/org/tokens", {"name": "reason"})["approval_id"]
        for character in ("\u0007", "\n", "\u200b", "\u202e", "\u2028"):
            answer = host.person("bob").post(f"/approvals/{approval}/decide", {"decision": "approved", "reason": f"a{character}b"})
            expect(answer, 400)
        equal(host.person().get(f"/approvals/{approval}").json["status"], "pending", "state")


def keys(walk):
    """Keys of secrets."""
    person = walk.host.person()
    with walk.sentence("names.secret-key"):
        for key in ("A", "_", "a1", "_9", "K" * 128, "lower_AND_UPPER_09"):
            expect(person.put("/settings/secrets", {"key": key, "value": "v"}), 200)
        for key in ("", "1A", "A-B", "A.B", "A B", "K" * 129, "\u00c4", "A\n", "A/B"):
            expect(person.put("/settings/secrets", {"key": key, "value": "v"}), 400)


SCENES = [names, reasons, keys]
