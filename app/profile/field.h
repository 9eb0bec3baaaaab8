/*
 * The fields of a profile as one table: JSON name (OpenID Connect Core section 5.1 where it has one), kind,
 * the longest it may be, whether it starts private. Enum, JSON names, validation, visibility bits and the
 * database's columns all follow from it.
 */
#pragma once
#include "base/span.h"

enum profile_kind {
    PROFILE_TEXT,   /* one line */
    PROFILE_PROSE,  /* may hold newlines */
    PROFILE_URL,    /* absolute https URL */
    PROFILE_LOCALE, /* BCP 47 */
    PROFILE_ZONE,   /* IANA time zone name */
    PROFILE_EMAIL,
    PROFILE_PHONE,   /* E.164 */
    PROFILE_DATE,    /* YYYY-MM-DD, YYYY or 0000-MM-DD, as OpenID Connect has it */
    PROFILE_FLAG,    /* true, false */
    PROFILE_STRINGS, /* object of strings */
    PROFILE_FREE,    /* any object, kept as sent */
};

/* X(name, kind, most characters (bytes for FREE), starts private) — the order is the order of members in a
 * view and of the bits of the column `private` */
#define PROFILE_FIELDS(X)                                                                                    \
    X(name, TEXT, 256, 0)                                                                                    \
    X(given_name, TEXT, 128, 0)                                                                              \
    X(family_name, TEXT, 128, 0)                                                                             \
    X(nickname, TEXT, 128, 0)                                                                                \
    X(pronouns, TEXT, 64, 0)                                                                                 \
    X(bio, PROSE, 2000, 0)                                                                                   \
    X(picture, URL, 2048, 0)                                                                                 \
    X(website, URL, 2048, 0)                                                                                 \
    X(locale, LOCALE, 35, 0)                                                                                 \
    X(zoneinfo, ZONE, 64, 0)                                                                                 \
    X(email, EMAIL, 254, 1)                                                                                  \
    X(email_verified, FLAG, 0, 1)                                                                            \
    X(phone_number, PHONE, 16, 1)                                                                            \
    X(birthdate, DATE, 10, 1)                                                                                \
    X(address, STRINGS, 1024, 1)                                                                             \
    X(attributes, FREE, 0, 0)

enum profile_field {
#define X(name, kind, max, hidden) PROFILE_FIELD_##name,
    PROFILE_FIELDS(X)
#undef X
        PROFILE_FIELD_COUNT
};

/* The bits of the fields that start private. */
#define X(name, kind, max, hidden) | ((hidden) << PROFILE_FIELD_##name)
enum { PROFILE_PRIVATE_DEFAULT = 0 PROFILE_FIELDS(X) };
#undef X

struct profile_field_row {
    struct span name;
    enum profile_kind kind;
    size_t max;
    bool starts_private;
};
extern const struct profile_field_row profile_field_table[PROFILE_FIELD_COUNT];

/* The field of that JSON name, or PROFILE_FIELD_COUNT. */
enum profile_field profile_field_by_name(struct span name);
