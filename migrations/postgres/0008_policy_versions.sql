-- The versions of policies that are kept, whether or not they ever decided.
CREATE TABLE policy_versions (
    name    TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    digest  TEXT COLLATE "C" NOT NULL REFERENCES components (digest),
    kept_by TEXT COLLATE "C" NOT NULL,
    kept_at BIGINT NOT NULL,
    PRIMARY KEY (name, digest)
);

INSERT INTO policy_versions (name, version, digest, kept_by, kept_at)
SELECT m.name, m.version, m.digest, MIN(g.changed_by), MIN(g.at)
FROM generation_modules AS m
JOIN generations AS g ON g.number = m.generation
GROUP BY m.name, m.version, m.digest;
