-- The profiles themselves, and the database's epoch.
--
-- A column a field, named as app/profile/field.h names it and in its order; a test keeps the two alike. Absent
-- fields are NULL. The rules of a field's value are the program's (app/profile/parse.h); what is checked here is
-- what a mistake by hand, with the sqlite3 shell, would break for every reader.

CREATE TABLE profiles (
    n INTEGER PRIMARY KEY,  -- never shown; keeps the two indexes and the log's work small
    id TEXT NOT NULL UNIQUE
        CHECK (length(id) BETWEEN 1 AND 128 AND id NOT GLOB '*[^!-~]*' AND id NOT GLOB '@*'
               AND id <> '.' AND id <> '..' AND id <> 'query'),
    handle TEXT NOT NULL UNIQUE
        CHECK (length(handle) BETWEEN 2 AND 30 AND handle NOT GLOB '*[^a-z0-9_]*'),
    state TEXT NOT NULL DEFAULT 'active' CHECK (state = 'active' OR state = 'suspended'),

    -- The fields that only the owner sees: bit 1 << k for the k-th field below, counted from 0. The default is
    -- email, email_verified, phone_number, birthdate and address.
    private INTEGER NOT NULL DEFAULT 31744 CHECK (private BETWEEN 0 AND 65535),

    -- Milliseconds since 1970, UTC.
    created_at INTEGER NOT NULL
        DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000.0 + 0.5 AS INTEGER)),

    -- For each of the two views of a profile: the place in the change log of the last change that is visible in
    -- it, and that change's time. They are the heart of ETag and Last-Modified. The triggers of the next
    -- migration set them, whoever writes, and refuse everybody else's values.
    owner_seq INTEGER NOT NULL DEFAULT 0,
    owner_updated_at INTEGER NOT NULL DEFAULT 0,
    public_seq INTEGER NOT NULL DEFAULT 0,
    public_updated_at INTEGER NOT NULL DEFAULT 0,

    name TEXT,
    given_name TEXT,
    family_name TEXT,
    nickname TEXT,
    pronouns TEXT,
    bio TEXT,
    picture TEXT,
    website TEXT,
    locale TEXT,
    zoneinfo TEXT,
    email TEXT,
    email_verified INTEGER CHECK (email_verified BETWEEN 0 AND 1),
    phone_number TEXT,
    birthdate TEXT,
    address TEXT CHECK (address GLOB '{*}'),       -- JSON, members are strings
    attributes TEXT CHECK (attributes GLOB '{*}')  -- JSON, as it was sent
) STRICT;

-- The epoch is a part of every ETag: drawn when the database is made, and anew when it is NULL, as a backup leaves
-- it. A database that was set back to an older state then never gives out a tag that it gave out before.
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT CHECK (epoch NOT GLOB '*[^0-9a-f]*' AND length(epoch) BETWEEN 1 AND 16)
) STRICT;

INSERT INTO meta (one, epoch) VALUES (1, NULL);
