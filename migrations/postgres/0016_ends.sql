-- Who ended an approval before its time, when and why. The statement that ends it says so, and a row that ended
-- before this was kept says nothing.
ALTER TABLE approvals ADD COLUMN ended_at BIGINT;
-- An audit label; nobody's where time or another state of affairs did.
ALTER TABLE approvals ADD COLUMN ended_by TEXT COLLATE "C";
-- The verified user behind the label, of a person.
ALTER TABLE approvals ADD COLUMN ended_by_user TEXT COLLATE "C";
ALTER TABLE approvals ADD COLUMN ended_because TEXT COLLATE "C";
