-- What a decision was about: the id of what was to be done to it, of which people seek a part. It is in the
-- question too, into which SQL never looks but here, for what was recorded before.
-- What a host of before records meanwhile says nothing of it, and is found by everything else.
ALTER TABLE decisions ADD COLUMN resource TEXT;

UPDATE decisions SET resource = question ->> '$.resource.id' WHERE question IS NOT NULL;
