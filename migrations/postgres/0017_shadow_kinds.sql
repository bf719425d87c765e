-- What policies in shadow would have changed, kind by kind: what was asked, what decided, and what would have.
-- Numbered from 1 within a generation.
CREATE TABLE shadow_kinds (
    generation BIGINT NOT NULL REFERENCES generations (number),
    kind       BIGINT NOT NULL,
    what       TEXT COLLATE "C" NOT NULL,
    seen       BIGINT NOT NULL,
    last       TEXT COLLATE "C" NOT NULL REFERENCES decisions (id),
    PRIMARY KEY (generation, kind)
);

-- 0: there was no room for its kind, or it was kept before kinds were told apart.
ALTER TABLE shadow_differences ADD COLUMN kind BIGINT NOT NULL DEFAULT 0;

CREATE INDEX shadow_differences_by_kind ON shadow_differences (generation, kind, decision);
