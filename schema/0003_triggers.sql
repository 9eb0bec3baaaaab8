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
