-- What limits a token or a request beside the profile itself: single tokens that were revoked, and the answers
-- to requests that bear an Idempotency-Key.

-- An entry 'revoke' of the log that is about one token alone says which: its name (below), and its end in Unix
-- seconds. Of a whole subject's both are NULL, and it reaches up to the second of at.
ALTER TABLE changes ADD COLUMN token TEXT;
ALTER TABLE changes ADD COLUMN token_until_s INTEGER;

-- Tokens that were revoked one by one. The name is a hash (app/token/name.h): of issuer and jti, or of the token
-- itself where it has none. A row goes when the token would have expired anyway.
CREATE TABLE revoked_tokens (
    name TEXT PRIMARY KEY CHECK (length(name) = 32 AND name NOT GLOB '*[^A-Za-z0-9_-]*'),
    subject TEXT,  -- NULL: its profile was deleted, and nothing is known of it any more
    expires_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX revoked_tokens_expires ON revoked_tokens (expires_s);
CREATE INDEX revoked_tokens_subject ON revoked_tokens (subject);

-- Logged as its subject's, so that what is remembered of all of the subject's tokens is looked up anew.
CREATE TRIGGER revoked_tokens_insert AFTER INSERT ON revoked_tokens
WHEN NEW.subject IS NOT NULL
BEGIN
    INSERT INTO changes (profile_id, what, at, token, token_until_s)
    SELECT NEW.subject, 'revoke', ms, NEW.name, NEW.expires_s FROM moment;
END;

-- The first answer to a request with a key, given again to a repeat. Who asked, at which address, by which key:
-- nobody gets another's answer.
CREATE TABLE answers (
    subject TEXT NOT NULL,
    target TEXT NOT NULL,
    key TEXT NOT NULL,
    at INTEGER NOT NULL,         -- when it was given; a day later it counts no more
    request BLOB NOT NULL,       -- a hash of the request's body
    status INTEGER NOT NULL,
    head TEXT NOT NULL,          -- header lines
    body TEXT NOT NULL,
    profile_id TEXT,             -- whom the answer is about
    PRIMARY KEY (subject, target, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_at ON answers (at);
CREATE INDEX answers_profile ON answers (profile_id);

-- Who departs takes along what is held on them: every departure, of whatever kind, leaves a tombstone.
CREATE TRIGGER tombstones_insert AFTER INSERT ON tombstones
BEGIN
    DELETE FROM answers WHERE profile_id = NEW.id;
    DELETE FROM answers WHERE subject = NEW.id;
    UPDATE revoked_tokens SET subject = NULL WHERE subject = NEW.id;
END;
