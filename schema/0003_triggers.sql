-- The triggers that log every change of a profile and stamp its row, whoever makes it: the server,
-- `profiled import`, or the sqlite3 shell.
--
-- Those that an INSERT runs call no SQL function and do nothing that could abort: a statement that may
-- abort keeps a copy of each page it touches, which costs the import of profiles a third of its speed.
-- Hence CASE where max() would do, times that come from the row's defaults, and FAIL where elsewhere it is
-- ABORT.

-- Milliseconds since 1970, the same throughout a statement. For the triggers of UPDATE and DELETE.
CREATE VIEW moment (ms) AS
SELECT CAST((julianday('now') - 2440587.5) * 86400000.0 + 0.5 AS INTEGER);

-- A profile that is gone, however: insert it here. Logged, remembered, its handles forgotten, its tokens
-- dead. prior: its last entry in the log.
CREATE VIEW departures (id, prior, at) AS SELECT id, NULL, deleted_at FROM tombstones;

CREATE TRIGGER departures_insert INSTEAD OF INSERT ON departures
BEGIN
    UPDATE changes SET handle = NULL, old_handle = NULL
    WHERE profile_id = NEW.id AND (handle IS NOT NULL OR old_handle IS NOT NULL);

    INSERT INTO changes (profile_id, what, at, prior) VALUES (NEW.id, 'delete', NEW.at, NEW.prior);

    DELETE FROM tombstones WHERE id = NEW.id;
    INSERT INTO tombstones (id, deleted_at, seq)
    SELECT NEW.id, NEW.at, seq FROM changes ORDER BY seq DESC LIMIT 1;

    INSERT INTO revoke (subject, until_s) VALUES (NEW.id, NEW.at / 1000);
END;

-- Stamps are the triggers' alone: a new number comes from the log's last entry, and the public one is
-- either that or what it was.
CREATE TRIGGER profiles_stamps BEFORE UPDATE OF owner_seq, owner_updated_at, public_seq, public_updated_at
ON profiles
WHEN NEW.owner_seq IS NOT (SELECT max(seq) FROM changes)
    OR (NEW.public_seq, NEW.public_updated_at) IS NOT (OLD.public_seq, OLD.public_updated_at)
       AND (NEW.public_seq, NEW.public_updated_at) IS NOT (NEW.owner_seq, NEW.owner_updated_at)
BEGIN
    SELECT RAISE(FAIL, 'the stamps of a profile are not to be set by hand');
END;

-- A new profile. The server brings the right stamps along, which saves writing the row twice; whatever else
-- is brought is put right. Last-Modified does not go back when a deleted id is made anew.
CREATE TRIGGER profiles_insert AFTER INSERT ON profiles
BEGIN
    INSERT INTO changes (profile_id, what, handle, at, prior)
    VALUES (NEW.id, 'create', NEW.handle,
            coalesce((SELECT deleted_at FROM tombstones
                      WHERE id = NEW.id AND deleted_at > NEW.owner_updated_at), NEW.owner_updated_at),
            (SELECT seq FROM tombstones WHERE id = NEW.id));

    UPDATE profiles
    SET (owner_seq, owner_updated_at, public_seq, public_updated_at) =
        (SELECT seq, at, seq, at FROM changes ORDER BY seq DESC LIMIT 1)
    WHERE n = NEW.n
        AND (NEW.owner_seq, NEW.owner_updated_at, NEW.public_seq, NEW.public_updated_at) IS NOT
            (SELECT seq, at, seq, at FROM changes ORDER BY seq DESC LIMIT 1);

    DELETE FROM tombstones WHERE id = NEW.id;

    INSERT INTO revoke (subject, until_s)
    SELECT NEW.id, NEW.owner_updated_at / 1000 WHERE NEW.state = 'suspended';
END;

-- A change of anything but the id and the stamps. What everybody sees of a field is its value, or NULL
-- while it is private: compared so, setting a private field, or making an absent one private, changes
-- nothing in public.
CREATE TRIGGER profiles_update
AFTER UPDATE OF id,
    handle, state, private, created_at, name, given_name, family_name, nickname, pronouns, bio, picture,
    website, locale, zoneinfo, email, email_verified, phone_number, birthdate, address, attributes
ON profiles
WHEN OLD.id = NEW.id AND
    (OLD.handle, OLD.state, OLD.private, OLD.created_at, OLD.name, OLD.given_name, OLD.family_name,
     OLD.nickname, OLD.pronouns, OLD.bio, OLD.picture, OLD.website, OLD.locale, OLD.zoneinfo, OLD.email,
     OLD.email_verified, OLD.phone_number, OLD.birthdate, OLD.address, OLD.attributes) IS NOT
    (NEW.handle, NEW.state, NEW.private, NEW.created_at, NEW.name, NEW.given_name, NEW.family_name,
     NEW.nickname, NEW.pronouns, NEW.bio, NEW.picture, NEW.website, NEW.locale, NEW.zoneinfo, NEW.email,
     NEW.email_verified, NEW.phone_number, NEW.birthdate, NEW.address, NEW.attributes)
BEGIN
    INSERT INTO changes (profile_id, what, handle, old_handle, at, prior)
    SELECT NEW.id,
        CASE
        WHEN OLD.state <> NEW.state THEN iif(NEW.state = 'suspended', 'suspend', 'resume')
        WHEN (OLD.handle, OLD.created_at,
             iif(OLD.private & 1, NULL, OLD.name),
             iif(OLD.private & 2, NULL, OLD.given_name),
             iif(OLD.private & 4, NULL, OLD.family_name),
             iif(OLD.private & 8, NULL, OLD.nickname),
             iif(OLD.private & 16, NULL, OLD.pronouns),
             iif(OLD.private & 32, NULL, OLD.bio),
             iif(OLD.private & 64, NULL, OLD.picture),
             iif(OLD.private & 128, NULL, OLD.website),
             iif(OLD.private & 256, NULL, OLD.locale),
             iif(OLD.private & 512, NULL, OLD.zoneinfo),
             iif(OLD.private & 1024, NULL, OLD.email),
             iif(OLD.private & 2048, NULL, OLD.email_verified),
             iif(OLD.private & 4096, NULL, OLD.phone_number),
             iif(OLD.private & 8192, NULL, OLD.birthdate),
             iif(OLD.private & 16384, NULL, OLD.address),
             iif(OLD.private & 32768, NULL, OLD.attributes))
             IS NOT
             (NEW.handle, NEW.created_at,
             iif(NEW.private & 1, NULL, NEW.name),
             iif(NEW.private & 2, NULL, NEW.given_name),
             iif(NEW.private & 4, NULL, NEW.family_name),
             iif(NEW.private & 8, NULL, NEW.nickname),
             iif(NEW.private & 16, NULL, NEW.pronouns),
             iif(NEW.private & 32, NULL, NEW.bio),
             iif(NEW.private & 64, NULL, NEW.picture),
             iif(NEW.private & 128, NULL, NEW.website),
             iif(NEW.private & 256, NULL, NEW.locale),
             iif(NEW.private & 512, NULL, NEW.zoneinfo),
             iif(NEW.private & 1024, NULL, NEW.email),
             iif(NEW.private & 2048, NULL, NEW.email_verified),
             iif(NEW.private & 4096, NULL, NEW.phone_number),
             iif(NEW.private & 8192, NULL, NEW.birthdate),
             iif(NEW.private & 16384, NULL, NEW.address),
             iif(NEW.private & 32768, NULL, NEW.attributes))
        THEN 'update'
        ELSE 'private'
        END,
        iif(OLD.handle <> NEW.handle, NEW.handle, NULL),
        iif(OLD.handle <> NEW.handle, OLD.handle, NULL),
        max(ms, OLD.owner_updated_at),
        OLD.owner_seq
    FROM moment;

    UPDATE profiles
    SET (owner_seq, owner_updated_at, public_seq, public_updated_at) =
        (SELECT seq, at,
                iif(what = 'private', OLD.public_seq, seq),
                iif(what = 'private', OLD.public_updated_at, at)
         FROM changes ORDER BY seq DESC LIMIT 1)
    WHERE n = NEW.n;

    INSERT INTO revoke (subject, until_s)
    SELECT NEW.id, ms / 1000 FROM moment WHERE NEW.state = 'suspended' AND OLD.state <> 'suspended';
END;

-- A change of the id is one profile that goes and another that comes.
CREATE TRIGGER profiles_update_id AFTER UPDATE OF id ON profiles
WHEN OLD.id <> NEW.id
BEGIN
    INSERT INTO departures (id, prior, at)
    SELECT OLD.id, OLD.owner_seq, max(ms, OLD.owner_updated_at) FROM moment;

    INSERT INTO changes (profile_id, what, handle, at, prior)
    SELECT NEW.id, 'create', NEW.handle,
           max(ms, OLD.owner_updated_at, coalesce((SELECT deleted_at FROM tombstones WHERE id = NEW.id), 0)),
           (SELECT seq FROM tombstones WHERE id = NEW.id)
    FROM moment;

    UPDATE profiles
    SET (owner_seq, owner_updated_at, public_seq, public_updated_at) =
        (SELECT seq, at, seq, at FROM changes ORDER BY seq DESC LIMIT 1)
    WHERE n = NEW.n;

    DELETE FROM tombstones WHERE id = NEW.id;

    INSERT INTO revoke (subject, until_s)
    SELECT NEW.id, ms / 1000 FROM moment WHERE NEW.state = 'suspended';
END;

CREATE TRIGGER profiles_delete AFTER DELETE ON profiles
BEGIN
    INSERT INTO departures (id, prior, at)
    SELECT OLD.id, OLD.owner_seq, max(ms, OLD.owner_updated_at) FROM moment;
END;

-- INSERT OR REPLACE and UPDATE OR REPLACE push out the rows that are in their way, and SQLite runs no
-- delete trigger for those. So they are noted here before, and whichever is gone afterwards has departed.
-- Rows that stay behind when the statement takes another turn (OR IGNORE, an upsert) are swept out by the
-- next one.
CREATE TABLE replaced (
    id TEXT PRIMARY KEY,
    handle TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER replaced_delete AFTER DELETE ON replaced
WHEN NOT EXISTS (SELECT 1 FROM profiles WHERE id = OLD.id)
BEGIN
    INSERT OR FAIL INTO departures (id, at) VALUES (OLD.id, OLD.at);
END;

CREATE TRIGGER replaced_delete_renamed AFTER DELETE ON replaced
WHEN OLD.handle <> (SELECT handle FROM profiles WHERE id = OLD.id)
BEGIN
    INSERT OR FAIL INTO changes (profile_id, what, old_handle, at)
    VALUES (OLD.id, 'update', OLD.handle, OLD.at);
END;

-- (The server never replaces so; it is known by bringing the right stamp, and spared the search.)
CREATE TRIGGER profiles_insert_before BEFORE INSERT ON profiles
WHEN NEW.owner_seq IS NOT (SELECT max(seq) + 1 FROM changes)
    AND EXISTS (SELECT 1 FROM profiles WHERE id = NEW.id OR handle = NEW.handle OR n = NEW.n)
BEGIN
    DELETE FROM replaced WHERE id IS NOT NULL;

    INSERT INTO replaced (id, handle, at)
    SELECT id, handle, CASE WHEN owner_updated_at > NEW.owner_updated_at THEN owner_updated_at
                            ELSE NEW.owner_updated_at END
    FROM profiles WHERE id = NEW.id OR handle = NEW.handle OR n = NEW.n;
END;

CREATE TRIGGER profiles_insert_after AFTER INSERT ON profiles
WHEN EXISTS (SELECT 1 FROM replaced)
BEGIN
    DELETE FROM replaced WHERE id IS NOT NULL;
END;

CREATE TRIGGER profiles_update_before BEFORE UPDATE OF n, id, handle ON profiles
WHEN EXISTS (SELECT 1 FROM profiles
             WHERE (id = NEW.id OR handle = NEW.handle OR n = NEW.n) AND n <> OLD.n)
BEGIN
    DELETE FROM replaced WHERE id IS NOT NULL;

    INSERT INTO replaced (id, handle, at)
    SELECT id, handle, max(ms, owner_updated_at) FROM profiles, moment
    WHERE (id = NEW.id OR handle = NEW.handle OR n = NEW.n) AND n <> OLD.n;
END;

CREATE TRIGGER profiles_update_after AFTER UPDATE OF n, id, handle ON profiles
WHEN EXISTS (SELECT 1 FROM replaced)
BEGIN
    DELETE FROM replaced WHERE id IS NOT NULL;
END;

-- A noted row that is then deleted in the ordinary way has departed once, not twice.
CREATE TRIGGER profiles_delete_before BEFORE DELETE ON profiles
WHEN EXISTS (SELECT 1 FROM replaced)
BEGIN
    DELETE FROM replaced WHERE id = OLD.id;
END;
