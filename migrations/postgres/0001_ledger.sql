-- Ids are text, so that both databases sort and show them alike. Instants are microseconds since the
-- Unix epoch. What has a structure of its own that SQL never looks into is JSON text.
-- Text sorts by its bytes, as it does in the other database, whatever the cluster's locale is.

CREATE TABLE settings (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE org_tokens (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash            TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(hash) = 64),
    prefix          TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C",
    role            TEXT COLLATE "C" NOT NULL CHECK (role IN ('none', 'reader', 'editor', 'admin')),
    workspace       TEXT COLLATE "C",
    -- The minter: as people read it, the verified user if it was a person, and the exact credential.
    created_by      TEXT COLLATE "C" NOT NULL,
    created_by_user TEXT COLLATE "C",
    created_by_key  TEXT COLLATE "C" NOT NULL,
    minted_by_token TEXT COLLATE "C" REFERENCES org_tokens (id),
    -- The credential at the root of the chain of minters.
    lineage         TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    last_used_at    BIGINT,
    expires_at      BIGINT,
    revoked_at      BIGINT
);

CREATE INDEX org_tokens_unrevoked ON org_tokens (created_at) WHERE revoked_at IS NULL;

CREATE TABLE decisions (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL,
    actor      TEXT COLLATE "C" NOT NULL,
    credential TEXT COLLATE "C" NOT NULL,
    verb       TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL,
    question   TEXT COLLATE "C",
    judgement  TEXT COLLATE "C" NOT NULL,
    outcome    TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('allowed', 'granted', 'pending', 'refused')),
    -- Refers to an approval: the constraint follows that table, which refers to this one.
    approval   TEXT COLLATE "C"
);

CREATE TABLE approvals (
    id                   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace            TEXT COLLATE "C" NOT NULL,
    requester_credential TEXT COLLATE "C" NOT NULL,
    requester_actor      TEXT COLLATE "C" NOT NULL,
    requester_lineage    TEXT COLLATE "C" NOT NULL,
    verb                 TEXT COLLATE "C" NOT NULL,
    resource_kind        TEXT COLLATE "C" NOT NULL,
    resource_id          TEXT COLLATE "C" NOT NULL,
    digest               TEXT COLLATE "C" NOT NULL,
    payload              TEXT COLLATE "C" NOT NULL,
    reason               TEXT COLLATE "C" NOT NULL,
    terms                TEXT COLLATE "C" NOT NULL,
    policy               TEXT COLLATE "C" NOT NULL,
    -- The approval is written before the decision that opens it, in the same transaction.
    decision             TEXT COLLATE "C" NOT NULL REFERENCES decisions (id) DEFERRABLE INITIALLY DEFERRED,
    precondition         TEXT COLLATE "C" NOT NULL,
    state                TEXT COLLATE "C" NOT NULL CHECK (state IN (
        'pending', 'approved', 'denied', 'expired', 'withdrawn', 'used', 'lapsed', 'revoked'
    )),
    created_at           BIGINT NOT NULL,
    expires_at           BIGINT NOT NULL,
    grant_expires_at     BIGINT,
    decided_at           BIGINT,
    CHECK (state <> 'approved' OR grant_expires_at IS NOT NULL),
    CHECK (state NOT IN ('approved', 'denied') OR decided_at IS NOT NULL)
);

ALTER TABLE decisions ADD FOREIGN KEY (approval) REFERENCES approvals (id);

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
    approval     TEXT COLLATE "C" NOT NULL REFERENCES approvals (id),
    voter_issuer TEXT COLLATE "C" NOT NULL,
    voter_user   TEXT COLLATE "C" NOT NULL,
    voter_groups TEXT COLLATE "C" NOT NULL,
    choice       TEXT COLLATE "C" NOT NULL CHECK (choice IN ('approved', 'denied')),
    reason       TEXT COLLATE "C",
    at           BIGINT NOT NULL,
    PRIMARY KEY (approval, voter_issuer, voter_user)
);

CREATE TABLE secrets (
    -- `global`, or the workspace's id.
    scope      TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    key_id     TEXT COLLATE "C" NOT NULL,
    sealed     BYTEA NOT NULL,
    -- The decision under which this value was written. It names the version, and unlike a counter it
    -- never comes back when a secret is deleted and written again.
    written_by TEXT COLLATE "C" NOT NULL REFERENCES decisions (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);

CREATE TABLE audit (
    seq      BIGINT NOT NULL PRIMARY KEY,
    at       BIGINT NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    actor    TEXT COLLATE "C" NOT NULL,
    detail   TEXT COLLATE "C" NOT NULL,
    previous TEXT COLLATE "C" NOT NULL,
    hash     TEXT COLLATE "C" NOT NULL CHECK (length(hash) = 64)
);

-- One row: where the chain ends.
CREATE TABLE audit_head (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL CHECK (length(hash) = 64)
);

INSERT INTO audit_head (id, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE login_links (
    hash       TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    cookie_hash TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(cookie_hash) = 64),
    proof_hash  TEXT COLLATE "C" NOT NULL CHECK (length(proof_hash) = 64),
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT
);

-- The bytes of policy modules, each once, under the SHA-256 of them.
CREATE TABLE components (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    bytes  BYTEA NOT NULL
);

CREATE TABLE generations (
    number     BIGINT NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL,
    changed_by TEXT COLLATE "C" NOT NULL,
    summary    TEXT COLLATE "C" NOT NULL
);

CREATE TABLE generation_modules (
    generation BIGINT NOT NULL REFERENCES generations (number),
    name       TEXT COLLATE "C" NOT NULL,
    version    TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL REFERENCES components (digest),
    settings   TEXT COLLATE "C" NOT NULL,
    file       TEXT COLLATE "C",
    PRIMARY KEY (generation, name)
);
