-- Workspaces are a tree. A removed one keeps its row, because approvals and the audit name it.
CREATE TABLE workspaces (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    parent_id  TEXT COLLATE "C" REFERENCES workspaces (id) CHECK (parent_id <> id),
    status     TEXT COLLATE "C" NOT NULL CHECK (status IN ('provisioning', 'removed')),
    -- The decision under which it was last changed; of the approval anchor, which no decision made, its id.
    version    TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    removed_at BIGINT,
    CHECK ((status = 'removed') = (removed_at IS NOT NULL))
);

CREATE INDEX workspaces_standing ON workspaces (created_at) WHERE status <> 'removed';
CREATE INDEX workspaces_children ON workspaces (parent_id) WHERE status <> 'removed';

CREATE TABLE workspace_tokens (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash         TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(hash) = 64),
    prefix       TEXT COLLATE "C" NOT NULL,
    workspace    TEXT COLLATE "C" NOT NULL REFERENCES workspaces (id),
    created_by   TEXT COLLATE "C" NOT NULL,
    -- The exact credential that minted the first of a chain of rotations.
    minter_key   TEXT COLLATE "C" NOT NULL,
    lineage      TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT,
    revoked_at   BIGINT
);

CREATE INDEX workspace_tokens_unrevoked
    ON workspace_tokens (workspace, created_at) WHERE revoked_at IS NULL;
