-- Policies in shadow: beside the modules that decide in a generation, those that are only asked.
CREATE TABLE generation_shadows (
    generation BIGINT NOT NULL REFERENCES generations (number),
    name       TEXT COLLATE "C" NOT NULL,
    version    TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL REFERENCES components (digest),
    settings   TEXT COLLATE "C" NOT NULL,
    file       TEXT COLLATE "C",
    PRIMARY KEY (generation, name)
);

-- What came of them. `kept` is how many rows of shadow_differences there are.
CREATE TABLE shadow_counts (
    generation BIGINT NOT NULL PRIMARY KEY REFERENCES generations (number),
    asked      BIGINT NOT NULL,
    looser     BIGINT NOT NULL,
    mixed      BIGINT NOT NULL,
    tighter    BIGINT NOT NULL,
    reworded   BIGINT NOT NULL,
    missed     BIGINT NOT NULL,
    kept       BIGINT NOT NULL
);

CREATE TABLE shadow_differences (
    generation BIGINT NOT NULL REFERENCES generations (number),
    decision   TEXT COLLATE "C" NOT NULL REFERENCES decisions (id),
    change     TEXT COLLATE "C" NOT NULL CHECK (change IN ('looser', 'mixed', 'tighter', 'same')),
    would_be   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (generation, decision)
);
