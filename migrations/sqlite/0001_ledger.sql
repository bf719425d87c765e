-- Ids are text, so that both databases sort and show them alike. Instants are microseconds since the
-- Unix epoch. What has a structure of its own that SQL never looks into is JSON text.

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE org_tokens (
    id              TEXT NOT NULL PRIMARY KEY,
    hash            TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
    prefix          TEXT NOT NULL,
    name            TEXT,
    role            TEXT NOT NULL CHECK (role IN ('none', 'reader', 'editor', 'admin')),
    workspace       TEXT,
    -- The minter: as people read it, the verified user if it was a person, and the exact credential.
    created_by      TEXT NOT NULL,
    created_by_user TEXT,
    created_by_key  TEXT NOT NULL,
    minted_by_token TEXT REFERENCES org_tokens (id),
    -- The credential at the root of the chain of minters.
    lineage         TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER,
    expires_at      INTEGER,
    revoked_at      INTEGER
) STRICT;

CREATE INDEX org_tokens_unrevoked ON org_tokens (created_at) WHERE revoked_at IS NULL;

CREATE TABLE decisions (
    id         TEXT NOT NULL PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    credential TEXT NOT NULL,
    verb       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    question   TEXT,
    judgement  TEXT NOT NULL,
    outcome    TEXT NOT NULL CHECK (outcome IN ('allowed', 'granted', 'pending', 'refused')),
    approval   TEXT REFERENCES approvals (id)
) STRICT;

CREATE TABLE approvals (
    id                   TEXT NOT NULL PRIMARY KEY,
    workspace            TEXT NOT NULL,
    requester_credential TEXT NOT NULL,
    requester_actor      TEXT NOT NULL,
    requester_lineage    TEXT NOT NULL,
    verb                 TEXT NOT NULL,
    resource_kind        TEXT NOT NULL,
    resource_id          TEXT NOT NULL,
    digest               TEXT NOT NULL,
    payload              TEXT NOT NULL,
    reason               TEXT NOT NULL,
    terms                TEXT NOT NULL,
    policy               TEXT NOT NULL,
    -- The approval is written before the decision that opens it, in the same transaction.
    decision             TEXT NOT NULL REFERENCES decisions (id) DEFERRABLE INITIALLY DEFERRED,
    precondition         TEXT NOT NULL,
    state                TEXT NOT NULL CHECK (state IN (
        'pending', 'approved', 'denied', 'expired', 'withdrawn', 'used', 'lapsed', 'revoked'
    )),
    created_at           INTEGER NOT NULL,
    expires_at           INTEGER NOT NULL,
    grant_expires_at     INTEGER,
    decided_at           INTEGER,
    CHECK (state <> 'approved' OR grant_expires_at IS NOT NULL),
    CHECK (state NOT IN ('approved', 'denied') OR decided_at IS NOT NULL)
) STRICT;

-- The same request, asked again while it is pending, is the same approval.
CREATE UNIQUE INDEX approvals_pending
    ON approvals (requester_credential, verb, resource_kind, resource_id, digest)
    WHERE state = 'pending';
CREATE INDEX approvals_pending_by_lineage ON approvals (requester_lineage) WHERE state = 'pending';
CREATE INDEX approvals_pending_by_end ON approvals (expires_at) WHERE state = 'pending';
CREATE INDEX approvals_granted
    ON approvals (requester_credential, verb, resource_kind, resource_id, digest)
    WHERE state = 'approved';
CREATE INDEX approvals_granted_by_end ON approvals (grant_expires_at) WHERE state = 'approved';
CREATE INDEX approvals_denied
    ON approvals (requester_lineage, verb, resource_kind, resource_id, decided_at)
    WHERE state = 'denied';

CREATE TABLE votes (
    approval     TEXT NOT NULL REFERENCES approvals (id),
    voter_issuer TEXT NOT NULL,
    voter_user   TEXT NOT NULL,
    voter_groups TEXT NOT NULL,
    choice       TEXT NOT NULL CHECK (choice IN ('approved', 'denied')),
    reason       TEXT,
    at           INTEGER NOT NULL,
    PRIMARY KEY (approval, voter_issuer, voter_user)
) STRICT;

CREATE TABLE secrets (
    -- `global`, or the workspace's id.
    scope      TEXT NOT NULL,
    key        TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    -- The decision under which this value was written. It names the version, and unlike a counter it
    -- never comes back when a secret is deleted and written again.
    written_by TEXT NOT NULL REFERENCES decisions (id),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;

CREATE TABLE audit (
    seq      INTEGER NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    actor    TEXT NOT NULL,
    detail   TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

-- One row: where the chain ends.
CREATE TABLE audit_head (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

INSERT INTO audit_head (id, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE login_links (
    hash       TEXT NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id          TEXT NOT NULL PRIMARY KEY,
    cookie_hash TEXT NOT NULL UNIQUE CHECK (length(cookie_hash) = 64),
    proof_hash  TEXT NOT NULL CHECK (length(proof_hash) = 64),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    ended_at    INTEGER
) STRICT;

-- The bytes of policy modules, each once, under the SHA-256 of them.
CREATE TABLE components (
    digest TEXT NOT NULL PRIMARY KEY,
    bytes  BLOB NOT NULL
) STRICT;

CREATE TABLE generations (
    number     INTEGER NOT NULL PRIMARY KEY,
    at         INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    summary    TEXT NOT NULL
) STRICT;

CREATE TABLE generation_modules (
    generation INTEGER NOT NULL REFERENCES generations (number),
    name       TEXT NOT NULL,
    version    TEXT NOT NULL,
    digest     TEXT NOT NULL REFERENCES components (digest),
    settings   TEXT NOT NULL,
    file       TEXT,
    PRIMARY KEY (generation, name)
) STRICT;
