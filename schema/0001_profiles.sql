-- The profiles themselves, and the database's epoch.
--
-- A column a field, named as app/profile/field.h names it and in its order; a test keeps the two alike.
-- Absent fields are NULL. The rules of a field's value are the program's (app/profile/parse.h). What is
-- checked here is what a slip of the hand in the sqlite3 shell would break for every reader.

CREATE TABLE profiles (
    n INTEGER PRIMARY KEY,  -- never shown
    id TEXT NOT NULL UNIQUE
        CHECK (length(id) BETWEEN 1 AND 128 AND id NOT GLOB '*[^A-Za-z0-9._~:|@+-]*' AND id NOT GLOB '@*'
               AND id <> '.' AND id <> '..' AND id <> 'query'),
    handle TEXT NOT NULL UNIQUE
        CHECK (length(handle) BETWEEN 2 AND 30 AND handle NOT GLOB '*[^a-z0-9_]*'),
    state TEXT NOT NULL DEFAULT 'active' CHECK (state = 'active' OR state = 'suspended'),

    -- The fields that only the owner sees: 1 << k for the k-th field below, counted from 0. At first these
    -- are email, email_verified, phone_number, birthdate and address.
    private INTEGER NOT NULL DEFAULT 31744 CHECK (private BETWEEN 0 AND 65535),

    -- Milliseconds since 1970, UTC; so are all times named _at.
    created_at INTEGER NOT NULL
        DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000.0 + 0.5 AS INTEGER)),

    -- For each of the two views of a profile: the place in the change log of the last change that is
    -- visible in it, and that change's time. ETag and Last-Modified are made of them. Triggers set them,
    -- whoever writes.
    owner_seq INTEGER NOT NULL DEFAULT 0,
    owner_updated_at INTEGER NOT NULL
        DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000.0 + 0.5 AS INTEGER)),
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
    address TEXT CHECK (address GLOB '{*}'),       -- JSON, its members are strings
    attributes TEXT CHECK (attributes GLOB '{*}')  -- JSON, as it was sent
) STRICT;

-- The epoch is a part of every ETag. The program draws one where it is NULL: when the database is made, and
-- when a backup, which bears none, is put in its place. So a database that went back to an older state
-- never gives a tag again that stood for something else.
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT CHECK (length(epoch) BETWEEN 1 AND 16 AND epoch NOT GLOB '*[^0-9a-f]*')
) STRICT;

INSERT INTO meta (one, epoch) VALUES (1, NULL);
