-- Avatars: images, each content once, and who shows which.
--
-- An image is there for as long as a profile holds it, and is dropped with the last one that does, however that
-- comes: triggers see to it, as they do for the change log (0003). What an INSERT of a profile may run, by a
-- row that it replaces, keeps to the rules that stand there.

-- The key of the hash that an image's address is made of, so that nobody can tell from the outside whether an
-- image is here, nor guess its address. Drawn when the database is made, and never again: addresses last, in
-- a backup as well.
CREATE TABLE avatar_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;

CREATE TABLE images (
    n INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64 AND hash NOT GLOB '*[^0-9a-f]*'),
    type TEXT NOT NULL,  -- the media type, as the bytes have it
    content BLOB NOT NULL
) STRICT;

-- Made of an image when it came in, and of its type; size is the side of the square that was asked for.
CREATE TABLE thumbnails (
    n INTEGER PRIMARY KEY,
    image INTEGER NOT NULL,
    size INTEGER NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (image, size)
) STRICT;

-- Which profile holds which image, and under which address: the profile's picture is that, or it holds it no
-- longer.
CREATE TABLE avatars (
    profile_id TEXT PRIMARY KEY,
    image INTEGER NOT NULL,
    picture TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX avatars_image ON avatars (image);

CREATE TRIGGER avatars_delete AFTER DELETE ON avatars
WHEN NOT EXISTS (SELECT 1 FROM avatars WHERE image = OLD.image)
BEGIN
    DELETE FROM images WHERE n = OLD.image;
END;

CREATE TRIGGER avatars_update AFTER UPDATE OF image ON avatars
WHEN NOT EXISTS (SELECT 1 FROM avatars WHERE image = OLD.image)
BEGIN
    DELETE FROM images WHERE n = OLD.image;
END;

-- Caches in front are told: the entry's profile_id is the image's hash. (Its time is that of the entry before
-- it, which is the change that it came with.)
CREATE TRIGGER images_delete AFTER DELETE ON images
BEGIN
    DELETE FROM thumbnails WHERE image = OLD.n;

    INSERT OR FAIL INTO changes (profile_id, what, at)
    VALUES (OLD.hash, 'avatar', coalesce((SELECT at FROM changes ORDER BY seq DESC LIMIT 1), 0));
END;

-- Another picture, whoever set it.
CREATE TRIGGER avatars_picture AFTER UPDATE OF picture ON profiles
WHEN OLD.picture IS NOT NEW.picture
BEGIN
    DELETE FROM avatars WHERE profile_id = NEW.id AND picture IS NOT NEW.picture;
END;

-- The image of a profile that is suspended, or comes back, is to be asked for anew.
CREATE TRIGGER avatars_state AFTER UPDATE OF state ON profiles
WHEN OLD.state <> NEW.state
BEGIN
    INSERT INTO changes (profile_id, what, at)
    SELECT hash, 'avatar', ms FROM avatars JOIN images ON images.n = avatars.image, moment
    WHERE avatars.profile_id = NEW.id;
END;

-- A profile that is gone, however (0003: departures).
CREATE TRIGGER avatars_departure AFTER INSERT ON tombstones
BEGIN
    DELETE FROM avatars WHERE profile_id = NEW.id;
END;

-- One that was replaced by another row of its id.
CREATE TRIGGER avatars_replaced AFTER DELETE ON replaced
BEGIN
    DELETE FROM avatars
    WHERE profile_id = OLD.id AND picture IS NOT (SELECT picture FROM profiles WHERE id = OLD.id);

    -- one that stays behind suspended is shown no longer
    INSERT OR FAIL INTO changes (profile_id, what, at)
    SELECT hash, 'avatar', OLD.at FROM avatars JOIN images ON images.n = image JOIN profiles ON id = profile_id
    WHERE profile_id = OLD.id AND state = 'suspended';
END;
