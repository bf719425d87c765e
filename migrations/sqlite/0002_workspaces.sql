-- Workspaces are a tree. A removed one keeps its row, because approvals and the audit name it.
CREATE TABLE workspaces (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    parent_id  TEXT REFERENCES workspaces (id) CHECK (parent_id <> id),
    status     TEXT NOT NULL CHECK (status IN ('provisioning', 'removed')),
    -- The decision under which it was last changed; of the approval anchor, which no decision made, its id.
    version    TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    removed_at INTEGER,
    CHECK ((status = 'removed') = (removed_at IS NOT NULL))
) STRICT;

CREATE INDEX workspaces_standing ON workspaces (created_at) WHERE status <> 'removed';
CREATE INDEX workspaces_children ON workspaces (parent_id) WHERE status <> 'removed';

CREATE TABLE workspace_tokens (
    id           TEXT NOT NULL PRIMARY KEY,
    hash         TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
    prefix       TEXT NOT NULL,
    workspace    TEXT NOT NULL REFERENCES workspaces (id),
    created_by   TEXT NOT NULL,
    -- The exact credential that minted the first of a chain of rotations.
    minter_key   TEXT NOT NULL,
    lineage      TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER,
    revoked_at   INTEGER
) STRICT;

CREATE INDEX workspace_tokens_unrevoked
    ON workspace_tokens (workspace, created_at) WHERE revoked_at IS NULL;
