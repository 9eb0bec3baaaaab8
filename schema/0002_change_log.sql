-- The change log and what else outlives a profile. All invalidation of caches rests on the log, so triggers
-- write it, in the transaction of the change itself; the next migration has those of the profiles.

CREATE TABLE changes (
    seq INTEGER PRIMARY KEY CHECK (seq BETWEEN 1 AND 4611686018427387904),
    profile_id TEXT NOT NULL,
    -- 'update' is seen by everybody, 'private' by the owner alone; 'revoke' is about the subject's tokens;
    -- 'avatar' is about an image that went, or is shown otherwise, and its profile_id is the image's hash.
    what TEXT NOT NULL
        CHECK (what = 'create' OR what = 'update' OR what = 'private' OR what = 'suspend' OR what = 'resume'
               OR what = 'delete' OR what = 'revoke' OR what = 'avatar'),
    handle TEXT,      -- taken by this change: a new profile, or a new handle
    old_handle TEXT,  -- set free by this change: a new handle
    at INTEGER NOT NULL,
    prior INTEGER     -- the entry before this one about the same profile: what is held on it is found so
) STRICT;

-- The entries that hold a handle, so that those of a profile that goes are found without going through the
-- log. Written where a handle is taken, and by no other change.
CREATE INDEX changes_handles ON changes (profile_id) WHERE handle IS NOT NULL OR old_handle IS NOT NULL;

-- A number never comes back: the next one is the highest there is and one more, so the highest one stays.
-- (AUTOINCREMENT promises the same, but writes a page of its own in each transaction.)
CREATE TRIGGER changes_delete BEFORE DELETE ON changes
WHEN OLD.seq = (SELECT max(seq) FROM changes)
BEGIN
    SELECT RAISE(ABORT, 'the newest entry of the change log stays');
END;

-- The handles of a profile that is gone are taken out. No cache misses them: what was kept by a handle hangs
-- on the id as well, and that nobody had it is true again, or another's entry says otherwise.
CREATE TRIGGER changes_update BEFORE UPDATE ON changes
WHEN (NEW.seq, NEW.profile_id, NEW.what, NEW.at, NEW.prior, NEW.handle, NEW.old_handle) IS NOT
     (OLD.seq, OLD.profile_id, OLD.what, OLD.at, OLD.prior, NULL, NULL)
    OR EXISTS (SELECT 1 FROM profiles WHERE id = OLD.profile_id)
BEGIN
    SELECT RAISE(FAIL, 'an entry of the change log is never changed');
END;

-- Ids that were deleted: only an admin makes one anew. All that is left of a profile that is gone, beside the
-- entries of the log that name its id.
CREATE TABLE tombstones (
    id TEXT PRIMARY KEY,
    deleted_at INTEGER NOT NULL,
    seq INTEGER NOT NULL  -- of the deletion
) STRICT, WITHOUT ROWID;

-- Tokens of the subject that were issued up to and including this second (Unix time) are dead.
CREATE TABLE revocations (
    subject TEXT PRIMARY KEY,
    until_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER revocations_insert AFTER INSERT ON revocations
BEGIN
    INSERT INTO changes (profile_id, what, at) VALUES (NEW.subject, 'revoke', NEW.until_s * 1000);
END;

CREATE TRIGGER revocations_update AFTER UPDATE ON revocations
BEGIN
    SELECT RAISE(FAIL, 'a revocation is never taken back')
    WHERE NEW.subject <> OLD.subject OR NEW.until_s < OLD.until_s;

    INSERT INTO changes (profile_id, what, at)
    SELECT NEW.subject, 'revoke', NEW.until_s * 1000 WHERE NEW.until_s > OLD.until_s;
END;

-- One that no living token falls under any more may be tidied away.
CREATE TRIGGER revocations_delete AFTER DELETE ON revocations
BEGIN
    INSERT INTO changes (profile_id, what, at) VALUES (OLD.subject, 'revoke', OLD.until_s * 1000);
END;

-- To revoke, insert here: it never lowers what is there.
CREATE VIEW revoke (subject, until_s) AS SELECT subject, until_s FROM revocations;

CREATE TRIGGER revoke_insert INSTEAD OF INSERT ON revoke
BEGIN
    UPDATE revocations SET until_s = NEW.until_s WHERE subject = NEW.subject AND until_s < NEW.until_s;

    INSERT INTO revocations (subject, until_s)
    SELECT NEW.subject, NEW.until_s WHERE NOT EXISTS (SELECT 1 FROM revocations WHERE subject = NEW.subject);
END;
