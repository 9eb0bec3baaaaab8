-- A new profile. A writer may bring the stamps along if they are those that the log is about to give (the server
-- does, which saves writing the row twice); anything else is put right.
CREATE TRIGGER profiles_insert AFTER INSERT ON profiles
BEGIN
    INSERT INTO changes (profile_id, what, handle, old_handle, at)
    VALUES (NEW.id, 'create', NEW.handle, NULL,
            max((SELECT ms FROM moment), coalesce((SELECT deleted_at FROM tombstones WHERE id = NEW.id), 0)));

    UPDATE profiles
    SET (owner_seq, owner_updated_at, public_seq, public_updated_at) =
        (SELECT seq, at, seq, at FROM changes WHERE seq = last_insert_rowid())
    WHERE n = NEW.n AND (NEW.owner_seq, NEW.public_seq) IS NOT (last_insert_rowid(), last_insert_rowid());

    DELETE FROM tombstones WHERE id = NEW.id;

    INSERT INTO revocations (subject, until_s)
    SELECT NEW.id, ms / 1000 FROM moment WHERE NEW.state = 'suspended'
    ON CONFLICT (subject) DO UPDATE SET until_s = excluded.until_s WHERE until_s < excluded.until_s;
END;

CREATE TRIGGER profiles_update
AFTER UPDATE OF id, handle, state, private, created_at, name, given_name, family_name, nickname, pronouns, bio,
    picture, website, locale, zoneinfo, email, email_verified, phone_number, birthdate, address, attributes
ON profiles
WHEN OLD.id = NEW.id AND
    (OLD.handle, OLD.state, OLD.private, OLD.created_at, OLD.name, OLD.given_name, OLD.family_name, OLD.nickname,
     OLD.pronouns, OLD.bio, OLD.picture, OLD.website, OLD.locale, OLD.zoneinfo, OLD.email, OLD.email_verified,
     OLD.phone_number, OLD.birthdate, OLD.address, OLD.attributes)
    IS NOT
    (NEW.handle, NEW.state, NEW.private, NEW.created_at, NEW.name, NEW.given_name, NEW.family_name, NEW.nickname,
     NEW.pronouns, NEW.bio, NEW.picture, NEW.website, NEW.locale, NEW.zoneinfo, NEW.email, NEW.email_verified,
     NEW.phone_number, NEW.birthdate, NEW.address, NEW.attributes)
BEGIN
    INSERT INTO changes (profile_id, what, handle, old_handle, at)
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
        ELSE 'private' END,
        iif(OLD.handle <> NEW.handle, NEW.handle, NULL), iif(OLD.handle <> NEW.handle, OLD.handle, NULL),
        max(ms, OLD.owner_updated_at)
    FROM moment;

    UPDATE profiles
    SET (owner_seq, owner_updated_at, public_seq, public_updated_at) =
        (SELECT seq, at, iif(what = 'private', OLD.public_seq, seq), iif(what = 'private', OLD.public_updated_at, at)
         FROM changes WHERE seq = last_insert_rowid())
    WHERE n = NEW.n;

    INSERT INTO revocations (subject, until_s)
    SELECT NEW.id, ms / 1000 FROM moment WHERE NEW.state = 'suspended' AND OLD.state <> 'suspended'
    ON CONFLICT (subject) DO UPDATE SET until_s = excluded.until_s WHERE until_s < excluded.until_s;
END;

-- An id changed by hand is a profile that ends and another that begins: neither may keep the other's tags.
CREATE TRIGGER profiles_rename AFTER UPDATE OF id ON profiles
WHEN OLD.id <> NEW.id
BEGIN
    INSERT INTO changes (profile_id, what, handle, old_handle, at)
    SELECT OLD.id, 'delete', NULL, OLD.handle, max(ms, OLD.owner_updated_at) FROM moment;

    INSERT INTO tombstones (id, deleted_at, seq)
    SELECT profile_id, at, seq FROM changes WHERE seq = last_insert_rowid()
    ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at, seq = excluded.seq;

    INSERT INTO revocations (subject, until_s) SELECT OLD.id, ms / 1000 FROM moment WHERE true
    ON CONFLICT (subject) DO UPDATE SET until_s = excluded.until_s WHERE until_s < excluded.until_s;

    DELETE FROM tombstones WHERE id = NEW.id;

    INSERT INTO changes (profile_id, what, handle, old_handle, at)
    SELECT NEW.id, 'create', NEW.handle, NULL, max(ms, OLD.owner_updated_at) FROM moment;

    UPDATE profiles
    SET (owner_seq, owner_updated_at, public_seq, public_updated_at) =
        (SELECT seq, at, seq, at FROM changes WHERE seq = (SELECT max(seq) FROM changes))
    WHERE n = NEW.n;
END;

-- Stamps set by hand are put back: a tag must never come back with another meaning. (The triggers' own updates do not come
-- here: theirs are always higher.)
CREATE TRIGGER profiles_stamps BEFORE UPDATE OF owner_seq, public_seq ON profiles
WHEN NEW.owner_seq < OLD.owner_seq OR NEW.public_seq < OLD.public_seq
    OR NEW.owner_seq > (SELECT max(seq) FROM changes) OR NEW.public_seq > (SELECT max(seq) FROM changes)
BEGIN
    SELECT RAISE(ABORT, 'the stamps of a profile are the triggers'' to set');
END;

CREATE TRIGGER profiles_delete AFTER DELETE ON profiles
BEGIN
    INSERT INTO changes (profile_id, what, handle, old_handle, at)
    SELECT OLD.id, 'delete', NULL, OLD.handle, max(ms, OLD.owner_updated_at) FROM moment;

    INSERT INTO tombstones (id, deleted_at, seq)
    SELECT profile_id, at, seq FROM changes WHERE seq = last_insert_rowid()
    ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at, seq = excluded.seq;

    INSERT INTO revocations (subject, until_s) SELECT OLD.id, ms / 1000 FROM moment WHERE true
    ON CONFLICT (subject) DO UPDATE SET until_s = excluded.until_s WHERE until_s < excluded.until_s;
END;

-- INSERT OR REPLACE deletes the rows in its way without running the trigger above. They are noted before, and what is gone
-- afterwards gets what a deletion or a change of handle would have got.
CREATE TRIGGER profiles_replacing BEFORE INSERT ON profiles
WHEN EXISTS (SELECT 1 FROM profiles WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM profiles WHERE handle = NEW.handle)
BEGIN
    INSERT OR REPLACE INTO replaced (id, handle, updated_at)
    SELECT id, handle, owner_updated_at FROM profiles WHERE id = NEW.id OR handle = NEW.handle;
END;

CREATE TRIGGER profiles_replaced AFTER INSERT ON profiles
WHEN EXISTS (SELECT 1 FROM replaced)
BEGIN
    INSERT INTO changes (profile_id, what, handle, old_handle, at)
    SELECT r.id, iif(r.id = NEW.id, 'update', 'delete'), NULL, r.handle, max(ms, r.updated_at)
    FROM replaced r, moment
    WHERE NOT EXISTS (SELECT 1 FROM profiles p WHERE p.id = r.id AND p.handle = r.handle);

    INSERT INTO tombstones (id, deleted_at, seq)
    SELECT c.profile_id, c.at, c.seq FROM replaced r JOIN changes c ON c.profile_id = r.id AND c.what = 'delete'
    WHERE NOT EXISTS (SELECT 1 FROM profiles p WHERE p.id = r.id) AND c.seq > (SELECT max(seq) - 2 FROM changes)
    ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at, seq = excluded.seq;

    INSERT INTO revocations (subject, until_s)
    SELECT r.id, ms / 1000 FROM replaced r, moment WHERE NOT EXISTS (SELECT 1 FROM profiles p WHERE p.id = r.id)
    ON CONFLICT (subject) DO UPDATE SET until_s = excluded.until_s WHERE until_s < excluded.until_s;

    DELETE FROM replaced;
END;

-- Revocations are news too: whoever remembers a verified token has to hear of them.
CREATE TRIGGER revocations_insert AFTER INSERT ON revocations
BEGIN
    INSERT INTO changes (profile_id, what, handle, old_handle, at) SELECT NEW.subject, 'revoke', NULL, NULL, ms FROM moment;
END;

CREATE TRIGGER revocations_update AFTER UPDATE OF until_s ON revocations
BEGIN
    INSERT INTO changes (profile_id, what, handle, old_handle, at) SELECT NEW.subject, 'revoke', NULL, NULL, ms FROM moment;
END;
