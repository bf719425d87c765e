-- What the requester says of its request: nobody has verified it. And why a grant was taken back.
ALTER TABLE approvals ADD COLUMN claimed_reason TEXT;
ALTER TABLE approvals ADD COLUMN claimed_task TEXT;
ALTER TABLE approvals ADD COLUMN revoke_reason TEXT;

CREATE INDEX approvals_by_workspace ON approvals (workspace, id);

-- The approval under which a token was minted: if the answer got lost, it says which token to replace.
ALTER TABLE org_tokens ADD COLUMN approval TEXT REFERENCES approvals (id);
ALTER TABLE workspace_tokens ADD COLUMN approval TEXT REFERENCES approvals (id);

CREATE INDEX org_tokens_by_approval ON org_tokens (approval) WHERE approval IS NOT NULL;
CREATE INDEX workspace_tokens_by_approval ON workspace_tokens (approval) WHERE approval IS NOT NULL;

-- The approval that an entry is about, so that what happened to approvals is found without reading all
-- else. The particulars say it too, and only they are part of the chain.
ALTER TABLE audit ADD COLUMN approval TEXT;
UPDATE audit SET approval = detail ->> '$.approval' WHERE kind LIKE 'approval\_%' ESCAPE '\';

CREATE INDEX audit_of_approvals ON audit (seq) WHERE approval IS NOT NULL;
