-- What policies in shadow would have changed, kind by kind: what was asked, what decided, and what would have.
-- Numbered from 1 within a generation.
CREATE TABLE shadow_kinds (
    generation INTEGER NOT NULL REFERENCES generations (number),
    kind       INTEGER NOT NULL,
    what       TEXT NOT NULL,
    seen       INTEGER NOT NULL,
    last       TEXT NOT NULL REFERENCES decisions (id),
    PRIMARY KEY (generation, kind)
) STRICT;

-- 0: there was no room for its kind, or it was kept before kinds were told apart.
ALTER TABLE shadow_differences ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;

CREATE INDEX shadow_differences_by_kind ON shadow_differences (generation, kind, decision);
