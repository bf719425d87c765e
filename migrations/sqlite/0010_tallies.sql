-- Whose a decision is, and when its deed was done, where it is one that counts: what tallies count.
ALTER TABLE decisions ADD COLUMN lineage TEXT;
ALTER TABLE decisions ADD COLUMN workspace TEXT;
ALTER TABLE decisions ADD COLUMN deed_at INTEGER;

CREATE INDEX deeds_by_credential ON decisions (credential, deed_at) WHERE deed_at IS NOT NULL;
CREATE INDEX deeds_by_lineage ON decisions (lineage, deed_at) WHERE deed_at IS NOT NULL;
CREATE INDEX deeds_by_workspace ON decisions (workspace, deed_at) WHERE deed_at IS NOT NULL;
CREATE INDEX deeds ON decisions (deed_at) WHERE deed_at IS NOT NULL;
