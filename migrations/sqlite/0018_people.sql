-- Who is behind the label under which the record tells of a person. The label is a digest of the other two, so
-- that neither changes and a row that somebody made up names nobody.
CREATE TABLE people (
    label TEXT PRIMARY KEY,
    issuer TEXT NOT NULL,
    name TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL
) STRICT;

-- Those who asked for something before this table was: `person:<issuer>:<name>`.
INSERT INTO people (label, issuer, name, first_seen_at)
SELECT actor, substr(person, 1, instr(person, ':') - 1), substr(person, instr(person, ':') + 1), seen
FROM (
    SELECT actor, substr(MIN(credential), 8) AS person, MIN(at) AS seen
    FROM decisions WHERE credential LIKE 'person:%' GROUP BY actor
);
