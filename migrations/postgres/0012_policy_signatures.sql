-- The signatures of policies that a trusted key made, in minisign's format, by the digest of what they sign.
CREATE TABLE policy_signatures (
    digest  TEXT COLLATE "C" NOT NULL,
    key_id  TEXT COLLATE "C" NOT NULL,
    text    TEXT COLLATE "C" NOT NULL,
    kept_by TEXT COLLATE "C" NOT NULL,
    kept_at BIGINT NOT NULL,
    PRIMARY KEY (digest, key_id)
);
