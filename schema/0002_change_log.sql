-- The change log, and the triggers that write it in the same transaction as the change itself, whoever makes it:
-- the server, `profiled import` or the sqlite3 shell. All invalidation of caches rests on it.

CREATE TABLE changes (
    seq INTEGER PRIMARY KEY CHECK (seq BETWEEN 1 AND 4611686018427387904),
    profile_id TEXT NOT NULL,
    -- 'update' is visible to everybody, 'private' to the owner alone; 'revoke' is about the subject's tokens.
    what TEXT NOT NULL
        CHECK (what = 'create' OR what = 'update' OR what = 'private' OR what = 'suspend' OR what = 'resume'
               OR what = 'delete' OR what = 'revoke'),
    handle TEXT,      -- the handle that is now taken: by a creation or a change of handle
    old_handle TEXT,  -- the handle that is now free: by a deletion or a change of handle
    at INTEGER NOT NULL
) STRICT;

-- A sequence number never comes back. The next one is the highest one and 1, so the highest one stays for ever;
-- AUTOINCREMENT would keep that promise too, at the price of one more page in every transaction.
CREATE TRIGGER changes_keep BEFORE DELETE ON changes
WHEN OLD.seq = (SELECT max(seq) FROM changes)
BEGIN
    SELECT RAISE(ABORT, 'the newest entry of the change log stays');
END;

CREATE TRIGGER changes_fixed BEFORE UPDATE ON changes
BEGIN
    SELECT RAISE(ABORT, 'the change log is only added to');
END;

-- Ids that were deleted: only an admin makes one anew.
CREATE TABLE tombstones (
    id TEXT PRIMARY KEY,
    deleted_at INTEGER NOT NULL,
    seq INTEGER NOT NULL  -- of the deletion in the change log
) STRICT, WITHOUT ROWID;

-- Tokens of the subject that were issued up to and including this second are dead (Unix seconds).
CREATE TABLE revocations (
    subject TEXT PRIMARY KEY,
    until_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows that an INSERT OR REPLACE or UPDATE OR REPLACE is about to push out. SQLite runs no delete trigger for
-- them, so they are noted before and looked for afterwards. Empty but within such a statement.
CREATE TABLE replaced (
    id TEXT PRIMARY KEY,
    handle TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The time that the triggers write, in milliseconds since 1970. The same throughout a statement.
CREATE VIEW moment (ms) AS
SELECT CAST((julianday('now') - 2440587.5) * 86400000.0 + 0.5 AS INTEGER);
