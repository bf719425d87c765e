-- The roots that the ledger opens to: one, but while it is being replaced. The root itself is elsewhere.
CREATE TABLE root_keys (
    id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- The newest has the highest.
    number   BIGINT NOT NULL UNIQUE,
    added_at BIGINT NOT NULL
);

-- The keys that secrets are sealed with and commitments made with.
CREATE TABLE data_keys (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    purpose    TEXT COLLATE "C" NOT NULL CHECK (purpose IN ('seal', 'commit', 'name')),
    state      TEXT COLLATE "C" NOT NULL CHECK (state IN ('active', 'retiring')),
    created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX data_keys_active ON data_keys (purpose) WHERE state = 'active';

-- Each under each root that opens it.
CREATE TABLE wrapped_keys (
    data_key TEXT COLLATE "C" NOT NULL REFERENCES data_keys (id),
    root     TEXT COLLATE "C" NOT NULL REFERENCES root_keys (id),
    wrapped  BYTEA NOT NULL,
    PRIMARY KEY (data_key, root)
);

CREATE INDEX secrets_by_key ON secrets (key_id);

-- A ledger of an earlier version knows its root by name, and gets its first keys from the host that has it.
INSERT INTO root_keys (id, number, added_at)
SELECT value, 1, 0 FROM settings WHERE name = 'keys';

DELETE FROM settings WHERE name = 'keys';
