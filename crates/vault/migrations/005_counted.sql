-- What the board counts on every page is kept counted, by triggers that no writer can forget: how many
-- records there are of each kind and state, and when each station was last heard of. `intact check` counts again.
CREATE TABLE counted (
  kind     TEXT NOT NULL,
  open     INTEGER NOT NULL,
  state    TEXT NOT NULL,
  severity INTEGER NOT NULL,
  category TEXT NOT NULL,
  records  INTEGER NOT NULL,
  PRIMARY KEY (kind, open, state, severity, category)
) WITHOUT ROWID;
INSERT INTO counted SELECT kind, open, state, severity, category, COUNT(*) FROM projection GROUP BY 1, 2, 3, 4, 5;

CREATE TRIGGER counted_put AFTER INSERT ON projection BEGIN
  INSERT INTO counted VALUES (NEW.kind, NEW.open, NEW.state, NEW.severity, NEW.category, 1)
    ON CONFLICT DO UPDATE SET records = records + 1;
END;
CREATE TRIGGER counted_drop AFTER DELETE ON projection BEGIN
  UPDATE counted SET records = records - 1 WHERE kind = OLD.kind AND open = OLD.open AND state = OLD.state
    AND severity = OLD.severity AND category = OLD.category;
END;
CREATE TRIGGER counted_move AFTER UPDATE OF kind, open, state, severity, category ON projection
  WHEN OLD.kind <> NEW.kind OR OLD.open <> NEW.open OR OLD.state <> NEW.state OR OLD.severity <> NEW.severity
    OR OLD.category <> NEW.category
BEGIN
  UPDATE counted SET records = records - 1 WHERE kind = OLD.kind AND open = OLD.open AND state = OLD.state
    AND severity = OLD.severity AND category = OLD.category;
  INSERT INTO counted VALUES (NEW.kind, NEW.open, NEW.state, NEW.severity, NEW.category, 1)
    ON CONFLICT DO UPDATE SET records = records + 1;
END;

CREATE TABLE heard (
  station TEXT PRIMARY KEY,
  last_ms INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO heard SELECT station, MAX(created_ms) FROM projection
  WHERE kind = 'incident' AND station IS NOT NULL GROUP BY station;

CREATE TRIGGER heard_put AFTER INSERT ON projection WHEN NEW.kind = 'incident' AND NEW.station IS NOT NULL BEGIN
  INSERT INTO heard VALUES (NEW.station, NEW.created_ms)
    ON CONFLICT DO UPDATE SET last_ms = MAX(last_ms, excluded.last_ms);
END;
CREATE TRIGGER heard_drop AFTER DELETE ON projection WHEN OLD.station IS NOT NULL BEGIN
  DELETE FROM heard WHERE station = OLD.station;
  INSERT INTO heard SELECT station, MAX(created_ms) FROM projection
    WHERE kind = 'incident' AND station = OLD.station GROUP BY station;
END;
CREATE TRIGGER heard_move AFTER UPDATE OF kind, station, created_ms ON projection
  WHEN OLD.kind <> NEW.kind OR OLD.station IS NOT NEW.station OR OLD.created_ms <> NEW.created_ms
BEGIN
  DELETE FROM heard WHERE station IN (OLD.station, NEW.station);
  INSERT INTO heard SELECT station, MAX(created_ms) FROM projection
    WHERE kind = 'incident' AND station IN (OLD.station, NEW.station) GROUP BY station;
END;
