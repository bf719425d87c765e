"""An answer that never arrived, and what a repeat gets."""

from deeds import agent, approved, pending, token_ids, workspace
from wire import equal, expect, holds

TOKENS = "/org/tokens"
BODY = {"name": "lost"}


def organisation_token(walk):
    """The token that was minted, and not received."""
    host = walk.host
    asker = agent(host)
    grant = approved(host, asker, "POST", TOKENS, BODY)
    named = asker.also(Approval_Id=grant)
    first = expect(named.post(TOKENS, BODY), 200).json
    with walk.sentence("lost-answers.replacement"):
        second = expect(named.post(TOKENS, BODY), 200).json
        holds(second["auth_token"] != first["auth_token"], "another plaintext")
        holds(second["id"] in token_ids(host.person()), "the replacement alive")
    with walk.sentence("lost-answers.old-revoked"):
        holds(first["id"] not in token_ids(host.person()), "the lost one gone from the list")
        expect(host.bearer(first["auth_token"]).get("/workspaces"), 401)
    with walk.sentence("lost-answers.unnamed"):
        holds(pending(asker, "POST", TOKENS, BODY)["approval_id"] != grant, "a new approval")
    with walk.sentence("lost-answers.presented"):
        expect(host.bearer(second["auth_token"]).get("/workspaces"), 200)
        expect(named.post(TOKENS, BODY), 403, "grant_used")
        holds(second["id"] in token_ids(host.person()), "the presented token still alive")
    with walk.sentence("lost-answers.no-plaintext"):
        walk.only_on("sqlite")
        equal(host.stored(first["auth_token"]), [], "files with the plaintext")


def workspace_token(walk):
    """The same for a workspace's token."""
    host = walk.host
    with walk.sentence("lost-answers.workspace-token"):
        asker = agent(host)
        path = f"/workspaces/{workspace(host.person(), 'lost')}/tokens"
        grant = approved(host, asker, "POST", path)
        named = asker.also(Approval_Id=grant)
        first = expect(named.post(path), 201).json["auth_token"]
        second = expect(named.post(path), 201).json["auth_token"]
        own = path.removesuffix("/tokens")
        expect(host.bearer(first).get(own), 401)
        expect(host.bearer(second).get(own), 200)
        expect(named.post(path), 403, "grant_used")


SCENES = [organisation_token, workspace_token]
