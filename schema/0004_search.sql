-- Lists and search, and the program's own secrets.

-- The suspended profiles: a list, which goes along the index of handles, passes over them by this one, and
-- never looks at their rows. (An index of the active ones would be one more that every import writes to.)
CREATE INDEX profiles_suspended ON profiles (handle) WHERE state = 'suspended';

-- What may be found of a profile: nothing of one that is suspended, and its name only while that is public.
CREATE VIEW search_rows (n, handle, name) AS
SELECT n, handle, iif(private & 1, NULL, name) FROM profiles WHERE state = 'active';

-- The words of those rows, without case and accents. No positions are kept (detail) and no lengths
-- (columnsize): only which rows have a word. Beginnings of up to eight characters have postings of their own:
-- without them each search goes through all words that begin so.
CREATE VIRTUAL TABLE search USING fts5 (
    handle, name,
    content = 'search_rows', content_rowid = 'n', columnsize = 0, detail = none,
    prefix = '1 2 3 4 5 6 7 8',
    tokenize = 'unicode61 remove_diacritics 2'
);

-- The rows in which the index and the view differ, each with what the index holds of it (handle NULL:
-- nothing). Triggers write it, whoever makes the change. The program brings the index up to date before the
-- COMMIT of each of its own transactions, and before a search where somebody else has left something here;
-- what stands here is never found. So no trigger touches the index itself, which would make each statement on
-- a profile a slower one, whether the index has to do with it or not.
CREATE TABLE search_pending (
    n INTEGER PRIMARY KEY,
    handle TEXT,
    name TEXT
) STRICT;

-- What was taken out of the index is still in its file until all parts of it that were there then have been
-- merged into one; app/store/erase.c tells how.
CREATE TABLE search_erasure (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    wanted INTEGER NOT NULL CHECK (wanted BETWEEN 0 AND 1), -- something was taken out that no merge is about to drop
    segment INTEGER NOT NULL,    -- that the merge under way writes to; 0: none is; -1: the log is to be copied back
    begun_at INTEGER NOT NULL,   -- that merge
    due_at INTEGER NOT NULL      -- the next step, not before this
) STRICT;

INSERT INTO search_erasure (one, wanted, segment, begun_at, due_at) VALUES (1, 0, 0, 0, 0);

-- While a batch of many profiles is stored, in the transaction of that batch and never beyond it: new rows
-- are those with n > after, are noted nowhere, and go into the index together at the batch's end.
CREATE TABLE search_bulk (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    after INTEGER NOT NULL
) STRICT;

-- What the index holds of a row by what the row was before a change of it: nothing, if it came with the batch.
-- (NOT EXISTS in place of OR IGNORE, which the OR clause of the outer statement would override. What was noted
-- first is what the index holds, so it stays.)
CREATE TRIGGER search_insert AFTER INSERT ON profiles
WHEN NOT EXISTS (SELECT 1 FROM search_bulk WHERE NEW.n > after)
    AND NOT EXISTS (SELECT 1 FROM search_pending WHERE n = NEW.n)
BEGIN
    INSERT INTO search_pending (n, handle, name) VALUES (NEW.n, NULL, NULL);
END;

CREATE TRIGGER search_update AFTER UPDATE OF n, handle, state, private, name ON profiles
WHEN (OLD.n, OLD.handle, OLD.state, OLD.private & 1, OLD.name)
    IS NOT (NEW.n, NEW.handle, NEW.state, NEW.private & 1, NEW.name)
BEGIN
    INSERT INTO search_pending (n, handle, name)
    SELECT OLD.n, iif(held, OLD.handle, NULL), iif(held AND NOT OLD.private & 1, OLD.name, NULL)
    FROM (SELECT OLD.state = 'active' AND NOT EXISTS (SELECT 1 FROM search_bulk WHERE OLD.n > after) AS held)
    WHERE NOT EXISTS (SELECT 1 FROM search_pending WHERE n = OLD.n);

    INSERT INTO search_pending (n, handle, name)
    SELECT NEW.n, NULL, NULL
    WHERE NOT EXISTS (SELECT 1 FROM search_pending WHERE n = NEW.n);
END;

CREATE TRIGGER search_delete AFTER DELETE ON profiles
WHEN NOT EXISTS (SELECT 1 FROM search_pending WHERE n = OLD.n)
BEGIN
    INSERT INTO search_pending (n, handle, name)
    SELECT OLD.n, iif(held, OLD.handle, NULL), iif(held AND NOT OLD.private & 1, OLD.name, NULL)
    FROM (SELECT OLD.state = 'active' AND NOT EXISTS (SELECT 1 FROM search_bulk WHERE OLD.n > after) AS held);
END;

-- Rows that OR REPLACE may push out, for which no delete trigger runs. One that stays after all is taken out of
-- the index and put in again.
CREATE TRIGGER search_replaced AFTER INSERT ON replaced
BEGIN
    INSERT INTO search_pending (n, handle, name)
    SELECT n, iif(held, handle, NULL), iif(held AND NOT private & 1, name, NULL)
    FROM (SELECT n, handle, private, name,
                 state = 'active' AND NOT EXISTS (SELECT 1 FROM search_bulk WHERE n > after) AS held
          FROM profiles WHERE id = NEW.id)
    WHERE n NOT IN (SELECT n FROM search_pending);
END;

INSERT INTO search (search, rank) VALUES ('usermerge', 2);
INSERT INTO search (search) VALUES ('rebuild');

-- Keys that all machines which serve this database must have in common. The program draws what is missing.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT, WITHOUT ROWID;
