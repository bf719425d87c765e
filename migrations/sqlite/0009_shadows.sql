-- Policies in shadow: beside the modules that decide in a generation, those that are only asked.
CREATE TABLE generation_shadows (
    generation INTEGER NOT NULL REFERENCES generations (number),
    name       TEXT NOT NULL,
    version    TEXT NOT NULL,
    digest     TEXT NOT NULL REFERENCES components (digest),
    settings   TEXT NOT NULL,
    file       TEXT,
    PRIMARY KEY (generation, name)
) STRICT;

-- What came of them. `kept` is how many rows of shadow_differences there are.
CREATE TABLE shadow_counts (
    generation INTEGER NOT NULL PRIMARY KEY REFERENCES generations (number),
    asked      INTEGER NOT NULL,
    looser     INTEGER NOT NULL,
    mixed      INTEGER NOT NULL,
    tighter    INTEGER NOT NULL,
    reworded   INTEGER NOT NULL,
    missed     INTEGER NOT NULL,
    kept       INTEGER NOT NULL
) STRICT;

CREATE TABLE shadow_differences (
    generation INTEGER NOT NULL REFERENCES generations (number),
    decision   TEXT NOT NULL REFERENCES decisions (id),
    change     TEXT NOT NULL CHECK (change IN ('looser', 'mixed', 'tighter', 'same')),
    would_be   TEXT NOT NULL,
    PRIMARY KEY (generation, decision)
) STRICT;
