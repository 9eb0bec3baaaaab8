/*
 * A profile in memory: spans into an arena or a request, no ownership. The store fills it from a row, the
 * profile room from JSON; views are written from it.
 */
#pragma once
#include "base/buf.h"
#include "base/span.h"
#include "profile/field.h"

enum profile_state { PROFILE_ACTIVE, PROFILE_SUSPENDED, PROFILE_STATE_COUNT };

/* The two representations: what everybody sees, and what the owner and admins see. */
enum profile_view { PROFILE_VIEW_PUBLIC, PROFILE_VIEW_OWNER, PROFILE_VIEW_COUNT };

/* The last change that is visible in a view. */
struct profile_stamp {
    int64_t seq;   /* of the change log: the view's `version`, and the heart of its ETag */
    int64_t at_ms; /* Unix time: the view's `updated_at` and Last-Modified */
};

struct profile {
    struct span id;
    struct span handle;                      /* folded to lower case */
    struct span values[PROFILE_FIELD_COUNT]; /* absent: ptr NULL. Strings as UTF-8, flags "true"/"false",
                                                objects as JSON text */
    uint32_t private_fields;                 /* bit 1 << field */
    enum profile_state state;
    int64_t created_ms;
    struct profile_stamp stamps[PROFILE_VIEW_COUNT];
    int64_t place; /* the store's own: where the row lay when it was read, 0: it was not. Only a hint */
};

/* Rules for names, used by routes, tokens and import alike. */
/* 1 to 128 of A-Z a-z 0-9 . _ ~ : | @ + -, not beginning with '@', not ".", ".." or "query". */
bool profile_id_valid(struct span id);
/* 2 to 30 of a-z 0-9 _, upper case folded: writes the folded handle (at most 30 bytes and a NUL) to out. */
enum { PROFILE_HANDLE_MAX = 30 };
bool profile_handle_fold(struct span handle, char out[PROFILE_HANDLE_MAX + 1]);

/* Writes a view as JSON, members in the order: id, handle, the fields, visibility and state (owner's view),
 * version, created_at, updated_at. Absent fields are absent. */
void profile_view_write(const struct profile *p, enum profile_view view, struct buf *out);
/* "2026-11-23T09:13:06.123Z" (RFC 3339, UTC, milliseconds) without quotes. */
void profile_time_write(int64_t ms, struct buf *out);
