-- Polling stations, as a list that was brought in said them. Reference material of this vault alone:
-- nothing here is signed, shared or derived from entries, and building projections anew leaves it.
CREATE TABLE schedule (
  n        INTEGER PRIMARY KEY,
  hours    TEXT NOT NULL UNIQUE,       -- when reports are expected, as the desk spells it
  stations INTEGER NOT NULL DEFAULT 0  -- how many stations have it
);

CREATE TABLE station (
  n        INTEGER PRIMARY KEY,
  code     TEXT NOT NULL UNIQUE,
  begins   TEXT NOT NULL,              -- the code in lower case: what is typed begins it
  name     TEXT NOT NULL,
  area     TEXT NOT NULL,
  lat_e7   INTEGER,
  lon_e7   INTEGER,
  schedule INTEGER REFERENCES schedule(n)
);
CREATE INDEX station_begins   ON station(begins, n);
CREATE INDEX station_schedule ON station(schedule) WHERE schedule IS NOT NULL;

CREATE VIRTUAL TABLE station_search USING fts5(text, content='', contentless_delete=1, prefix='1 2 3',
  tokenize='unicode61 remove_diacritics 2');

-- When a station was last heard of.
CREATE INDEX projection_station ON projection(station, created_ms) WHERE kind = 'incident' AND station IS NOT NULL;
