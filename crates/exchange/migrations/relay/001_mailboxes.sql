-- The relay's store. It knows opaque mailbox tags, sizes, times and sealed bytes; nothing else.

-- One row: which store this is. A reader's cursor is only good for one store.
CREATE TABLE store (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    id    BLOB    NOT NULL CHECK (length(id) = 16),
    items INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
);

-- last_seq outlives the items, or a reader's cursor would skip what comes after an expiry.
CREATE TABLE mailbox (
    tag        BLOB    PRIMARY KEY CHECK (length(tag) = 32),
    last_seq   INTEGER NOT NULL,
    items      INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    emptied_ms INTEGER
) WITHOUT ROWID;

-- body is NULL where the batch lies as a file in the blob folder.
CREATE TABLE item (
    id         INTEGER PRIMARY KEY,
    mailbox    BLOB    NOT NULL REFERENCES mailbox (tag),
    seq        INTEGER NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    size       INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    body       BLOB
);
CREATE UNIQUE INDEX item_by_seq    ON item (mailbox, seq);
CREATE UNIQUE INDEX item_by_hash   ON item (mailbox, hash);
CREATE INDEX        item_by_expiry ON item (expires_ms);
