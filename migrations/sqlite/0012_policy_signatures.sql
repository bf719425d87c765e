-- The signatures of policies that a trusted key made, in minisign's format, by the digest of what they sign.
CREATE TABLE policy_signatures (
    digest  TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    text    TEXT NOT NULL,
    kept_by TEXT NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (digest, key_id)
) STRICT;
