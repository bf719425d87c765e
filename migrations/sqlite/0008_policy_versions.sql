-- The versions of policies that are kept, whether or not they ever decided.
CREATE TABLE policy_versions (
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    digest  TEXT NOT NULL REFERENCES components (digest),
    kept_by TEXT NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (name, digest)
) STRICT;

INSERT INTO policy_versions (name, version, digest, kept_by, kept_at)
SELECT m.name, m.version, m.digest, MIN(g.changed_by), MIN(g.at)
FROM generation_modules AS m
JOIN generations AS g ON g.number = m.generation
GROUP BY m.name, m.version, m.digest;
