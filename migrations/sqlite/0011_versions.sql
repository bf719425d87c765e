-- How long the policies took to judge, in microseconds: null where none was asked, and of decisions from before.
ALTER TABLE decisions ADD COLUMN judged_in INTEGER;

-- What shows that a host recorded this generation as it is: it is made with a key that the database does not hold.
ALTER TABLE generations ADD COLUMN seal TEXT;

-- Who keeps a module as it is, and since which generation.
ALTER TABLE generation_modules ADD COLUMN pinned_by TEXT;
ALTER TABLE generation_modules ADD COLUMN pinned_since INTEGER;
