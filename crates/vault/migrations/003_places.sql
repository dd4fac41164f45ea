-- Where an incident is, so that the map is one walk over rows as the board is. Degrees times 10^7;
-- both or neither.
ALTER TABLE projection ADD COLUMN lat_e7 INTEGER;
ALTER TABLE projection ADD COLUMN lon_e7 INTEGER;
CREATE INDEX projection_placed ON projection(kind, open, created_ms DESC, record) WHERE lat_e7 IS NOT NULL;

-- The columns are filled when the vault is opened.
INSERT OR REPLACE INTO setting (name, value) VALUES ('rebuild', '1');
