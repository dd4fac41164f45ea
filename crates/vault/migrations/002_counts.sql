-- What a vault of millions of entries must know at once when it is opened, instead of counting:
-- the end of each chain, and how much there is.
ALTER TABLE device ADD COLUMN head INTEGER NOT NULL DEFAULT -1; -- number of the last link with no gap before it; -1: to be found

CREATE TABLE tally (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  seq         INTEGER NOT NULL,     -- the last commit number given
  links       INTEGER NOT NULL,
  entries     INTEGER NOT NULL,     -- opened
  next_record INTEGER NOT NULL
);
INSERT INTO tally SELECT 1,
  MAX(IFNULL((SELECT MAX(seq) FROM envelope), 0), IFNULL((SELECT MAX(seq) FROM roster), 0), IFNULL((SELECT MAX(seq) FROM wrap), 0)),
  (SELECT COUNT(*) FROM envelope), (SELECT COUNT(*) FROM envelope WHERE record IS NOT NULL),
  (SELECT IFNULL(MAX(n), 0) + 1 FROM projection);

CREATE INDEX envelope_own ON envelope(origin) WHERE origin = 0;

CREATE INDEX wrap_waiting ON wrap(key);

-- Each list of the board is one walk over one index, newest first, and so is its count.
DROP INDEX projection_category;
DROP INDEX projection_severe;
DROP INDEX projection_waiting;
DROP INDEX projection_asked;
CREATE INDEX projection_category ON projection(kind, category, open, created_ms DESC, record);
CREATE INDEX projection_state    ON projection(kind, state, open, created_ms DESC, record);
CREATE INDEX projection_severe   ON projection(kind, severity, open, created_ms DESC, record);
CREATE INDEX projection_assigned ON projection(assigned, open) WHERE assigned IS NOT NULL;
CREATE INDEX projection_waiting  ON projection(n) WHERE waiting > 0 OR kind = 'none';
CREATE INDEX projection_asked    ON projection(ref_state, ref_by_ms) WHERE ref_state IS NOT NULL;
CREATE INDEX referral_asked      ON referral(asked);
CREATE INDEX referral_asker      ON referral(asker);
CREATE INDEX referral_open       ON referral(state, respond_by_ms);

-- Rows of search are numbered otherwise from here on; they are built anew when the vault is opened.
INSERT INTO setting (name, value) VALUES ('rebuild', '1');

-- From which device an envelope came directly, so that it is not sent back there; and up to which
-- commit number that is forgotten, because the device asked for everything anew.
ALTER TABLE envelope ADD COLUMN via INTEGER;
ALTER TABLE device ADD COLUMN anew INTEGER NOT NULL DEFAULT 0;

-- Who added an exhibit: its author posts it to a relay, not everybody who holds it.
ALTER TABLE exhibit ADD COLUMN author BLOB;
