-- The record is `envelope`, append-only. `projection`, `search`, `referral` and `audience` are
-- caches that `intact check --rebuild` builds anew. One commit order, `seq`, runs over everything
-- that is exchanged.
CREATE TABLE secret  (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE cursor  (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE roster (
  seq         INTEGER PRIMARY KEY,
  id          BLOB NOT NULL UNIQUE,
  bytes       BLOB NOT NULL,
  received_ms INTEGER NOT NULL
);

CREATE TABLE device (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);

CREATE TABLE envelope (
  seq         INTEGER PRIMARY KEY,
  device      INTEGER NOT NULL REFERENCES device(n),
  number      INTEGER NOT NULL,
  id          BLOB NOT NULL,
  link        BLOB NOT NULL,
  signature   BLOB NOT NULL,
  body        BLOB,                 -- NULL: counted only
  key         BLOB,                 -- which record key the body needs
  record      INTEGER,              -- NULL: not opened
  origin      INTEGER NOT NULL,     -- 0 own, 1 LAN, 2 parcel, 3 relay
  received_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX envelope_chain ON envelope(device, number, id);
CREATE INDEX envelope_record ON envelope(record, seq) WHERE record IS NOT NULL;
CREATE INDEX envelope_waiting ON envelope(key) WHERE record IS NULL AND body IS NOT NULL;

CREATE TABLE refused (
  n           INTEGER PRIMARY KEY,
  reason      TEXT NOT NULL,
  id          BLOB NOT NULL,
  bytes       BLOB NOT NULL,
  received_ms INTEGER NOT NULL
);

CREATE TABLE suspect (device BLOB PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE key (record BLOB NOT NULL, id BLOB NOT NULL, bytes BLOB NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (record, id)) WITHOUT ROWID;
CREATE INDEX key_id ON key(id);

CREATE TABLE wrap (
  seq         INTEGER PRIMARY KEY,
  hash        BLOB NOT NULL UNIQUE,
  record      BLOB NOT NULL,
  key         BLOB NOT NULL,
  who         TEXT NOT NULL,        -- a:<agency> or d:<device>
  epoch       INTEGER NOT NULL,
  sealed      BLOB NOT NULL
);
CREATE INDEX wrap_record ON wrap(record);

CREATE TABLE projection (
  n           INTEGER PRIMARY KEY,
  record      BLOB NOT NULL UNIQUE,
  kind        TEXT NOT NULL,
  reference   TEXT NOT NULL,
  summary     TEXT NOT NULL,
  category    TEXT NOT NULL,
  severity    INTEGER NOT NULL,
  state       TEXT NOT NULL,
  open        INTEGER NOT NULL,
  owner       TEXT NOT NULL,
  disputed    TEXT NOT NULL,
  station     TEXT,
  place       TEXT,
  domains     TEXT NOT NULL,
  exhibits    INTEGER NOT NULL,
  assigned    TEXT,
  source_id   TEXT,
  created_ms  INTEGER NOT NULL,
  last_ms     INTEGER NOT NULL,
  ref_to      TEXT,
  ref_state   TEXT,
  ref_by_ms   INTEGER,
  waiting     INTEGER NOT NULL      -- entries that wait for something
);
CREATE INDEX projection_new      ON projection(kind, created_ms DESC, record);
CREATE INDEX projection_category ON projection(kind, category, created_ms DESC, record);
CREATE INDEX projection_open     ON projection(kind, open, created_ms DESC, record);
CREATE INDEX projection_ref      ON projection(reference);
CREATE INDEX projection_severe   ON projection(kind, severity, created_ms DESC, record);
CREATE INDEX projection_source   ON projection(source_id) WHERE source_id IS NOT NULL;
CREATE INDEX projection_waiting  ON projection(waiting) WHERE waiting > 0;
CREATE INDEX projection_asked    ON projection(ref_state) WHERE ref_state IS NOT NULL;

CREATE VIRTUAL TABLE search USING fts5(text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');

CREATE TABLE referral (
  record        INTEGER NOT NULL,
  entry         BLOB NOT NULL,
  asker         TEXT NOT NULL,
  asked         TEXT NOT NULL,
  ask           TEXT NOT NULL,
  state         TEXT NOT NULL,
  respond_by_ms INTEGER,
  reason        TEXT,
  offered_ms    INTEGER NOT NULL,
  PRIMARY KEY (record, entry)
) WITHOUT ROWID;

CREATE TABLE audience (
  record    INTEGER NOT NULL,
  who       TEXT NOT NULL,
  since_seq INTEGER NOT NULL,
  by_me     INTEGER NOT NULL,
  PRIMARY KEY (record, who)
) WITHOUT ROWID;
CREATE INDEX audience_since ON audience(who, since_seq);

CREATE TABLE exhibit (
  record      INTEGER NOT NULL,
  entry       BLOB NOT NULL,
  address     BLOB NOT NULL,
  sealed_size INTEGER NOT NULL,
  PRIMARY KEY (record, entry)
) WITHOUT ROWID;
CREATE INDEX exhibit_address ON exhibit(address);

CREATE TABLE ack (device BLOB PRIMARY KEY, up_to INTEGER NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE reference_number (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
