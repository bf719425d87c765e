-- What a decision was about: the id of what was to be done to it, of which people seek a part. Of what was recorded
-- before, and of what a host of before records meanwhile, it is in the question alone: nothing is filled in here,
-- because every host would wait for a table that only grows.
ALTER TABLE decisions ADD COLUMN resource TEXT COLLATE "C";
