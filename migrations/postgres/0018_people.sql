-- Who is behind the label under which the record tells of a person. The label is a digest of the other two, so
-- that neither changes and a row that somebody made up names nobody.
CREATE TABLE people (
    label TEXT COLLATE "C" PRIMARY KEY,
    issuer TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    first_seen_at BIGINT NOT NULL
);

-- Those who asked for something before this table was: `person:<issuer>:<name>`.
INSERT INTO people (label, issuer, name, first_seen_at)
SELECT actor, substr(person, 1, strpos(person, ':') - 1), substr(person, strpos(person, ':') + 1), seen
FROM (
    SELECT actor, substr(MIN(credential), 8) AS person, MIN(at) AS seen
    FROM decisions WHERE credential LIKE 'person:%' GROUP BY actor
) AS asked;
