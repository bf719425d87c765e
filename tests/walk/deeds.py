"""What most chapters do on their way: mint, ask, decide, repeat."""

from wire import expect, Mismatch, holds


def mint(client, **body):
    """Mint an organisation token as somebody who is not gated."""
    return expect(client.post("/org/tokens", body), 200).json


def agent(host, minter=None, **body):
    """A caller with a new organisation token, which a person minted."""
    minted = mint(minter or host.person(), **{"name": "agent", **body})
    client = host.bearer(minted["auth_token"])
    client.token = minted
    return client


def workspace(client, name="walked", parent=None):
    """A new workspace's id."""
    body = {"name": name} if parent is None else {"name": name, "parent_id": parent}
    return expect(client.post("/workspaces", body), 201).json["id"]


def workspace_token(host, workspace_id):
    """A caller with a new token of that workspace, which a person minted."""
    minted = expect(host.person().post(f"/workspaces/{workspace_id}/tokens"), 201).json
    client = host.bearer(minted["auth_token"])
    client.plaintext = minted["auth_token"]
    return client


def pending(client, method, path, body=None):
    """Ask for what needs a person; hand back the 202's members."""
    return expect(client.ask(method, path, body), 202).json


def decide(person, approval_id, decision="approved", **more):
    """A person decides."""
    return expect(person.post(f"/approvals/{approval_id}/decide", {"decision": decision, **more}), 200).json


def approved(host, client, method, path, body=None):
    """Ask, and have a person approve; hand back the approval's id."""
    approval_id = pending(client, method, path, body)["approval_id"]
    decide(host.person("bob"), approval_id)
    return approval_id


def granted(host, client, method, path, body=None):
    """Ask, have a person approve, and repeat; hand back the deed's answer."""
    approved(host, client, method, path, body)
    answer = client.ask(method, path, body)
    if answer.status == 202:
        raise Mismatch(f"expected the deed after approval, {answer} came")
    return answer


def state(host, approval_id):
    """The state of an approval, as a person reads it."""
    return expect(host.person("carol").get(f"/approvals/{approval_id}"), 200).json["status"]


def token_ids(client):
    """The ids of the live organisation tokens."""
    return [token["id"] for token in expect(client.get("/org/tokens"), 200).json["tokens"]]


def secret_keys(client, path):
    """The keys that a list of secrets shows."""
    found = expect(client.get(path), 200).json
    holds(isinstance(found, list), "an array of secrets", repr(found))
    return [secret["key"] for secret in found]
