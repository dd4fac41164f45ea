-- What search has of a record, as the SHA-256 of that text: a later entry that says nothing new leaves
-- the index of words alone, also after the vault was opened anew.
ALTER TABLE projection ADD COLUMN words BLOB NOT NULL DEFAULT x'';

-- The column is filled when the vault is opened.
INSERT OR REPLACE INTO setting (name, value) VALUES ('rebuild', '1');
