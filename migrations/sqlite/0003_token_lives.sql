-- A token that was revoked, and works until then.
ALTER TABLE org_tokens ADD COLUMN draining_until INTEGER;
ALTER TABLE workspace_tokens ADD COLUMN draining_until INTEGER;

-- From where it was minted: an IPv4 address, or the first 64 bits of an IPv6 one.
ALTER TABLE org_tokens ADD COLUMN minted_from TEXT;

CREATE INDEX org_tokens_by_party ON org_tokens (minted_from, created_at);
CREATE INDEX org_tokens_by_minter ON org_tokens (minted_by_token);
CREATE INDEX workspace_tokens_by_minter ON workspace_tokens (minter_key);

-- How often a token, of the organisation or of a workspace, was presented in the hour that began then.
CREATE TABLE token_usage (
    token TEXT NOT NULL,
    hour  INTEGER NOT NULL,
    uses  INTEGER NOT NULL CHECK (uses > 0),
    PRIMARY KEY (token, hour)
) STRICT;

CREATE INDEX token_usage_by_hour ON token_usage (hour);
