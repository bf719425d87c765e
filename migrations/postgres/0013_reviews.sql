-- The approval under which a generation was accepted, where something in it loosens.
ALTER TABLE generations ADD COLUMN approval TEXT COLLATE "C" REFERENCES approvals (id);
