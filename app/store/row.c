#include "store/handle.h"

#include "crypto/hash.h"

/* Columns of the statements that give a whole row. */
enum {
    COLUMN_EPOCH = STORE_ROW_SNAPSHOT,
    COLUMN_SEQ,
    COLUMN_N,
    COLUMN_ID,
    COLUMN_HANDLE,
    COLUMN_STATE,
    COLUMN_PRIVATE,
    COLUMN_CREATED,
    COLUMN_OWNER_SEQ,
    COLUMN_OWNER_AT,
    COLUMN_PUBLIC_SEQ,
    COLUMN_PUBLIC_AT,
    COLUMN_FIELDS,
    COLUMN_ASKED = COLUMN_FIELDS + PROFILE_FIELD_COUNT
};

void store_bind(sqlite3_stmt *statement, int index, struct span s)
{
    if (s.ptr == NULL)
        sqlite3_bind_null(statement, index);
    else
        sqlite3_bind_text64(statement, index, s.ptr, s.len, SQLITE_STATIC, SQLITE_UTF8);
}

struct span store_column(sqlite3_stmt *statement, int index)
{
    const char *text = (const char *)sqlite3_column_text(statement, index);
    return span_of(text, text == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, index));
}

static struct span copy_column(sqlite3_stmt *statement, int index, struct arena *arena, bool *failed)
{
    struct span s = store_column(statement, index);
    struct span copied = arena_copy(arena, s);
    *failed = *failed || (s.ptr != NULL && copied.ptr == NULL);
    return copied;
}

static struct span field_value(sqlite3_stmt *statement, size_t field, struct arena *arena, bool *failed)
{
    int index = COLUMN_FIELDS + (int)field;
    if (field != PROFILE_FIELD_email_verified)
        return copy_column(statement, index, arena, failed);
    if (sqlite3_column_type(statement, index) == SQLITE_NULL)
        return (struct span){NULL, 0};
    return sqlite3_column_int(statement, index) != 0 ? SPAN("true") : SPAN("false");
}

void store_snapshot_read(const struct store *s, sqlite3_stmt *statement, int index,
                         struct store_snapshot *out)
{
    static const unsigned char no_key[CRYPTO_SIPHASH_KEY_LEN] = {0}; /* nobody chooses what is hashed */
    struct {
        char epoch[STORE_EPOCH_MAX];
        uint64_t device, inode;
    } made_of = {.device = s->device, .inode = s->inode};
    struct span epoch = store_column(statement, index);
    *out = (struct store_snapshot){.seq = sqlite3_column_int64(statement, index + 1)};
    if (epoch.len > STORE_EPOCH_MAX || epoch.len == 0)
        return;
    memcpy(out->epoch, epoch.ptr, epoch.len);
    memcpy(made_of.epoch, epoch.ptr, epoch.len);
    out->identity = crypto_siphash(no_key, span_of((const char *)&made_of, sizeof made_of)) | 1;
}

enum err store_row_read(sqlite3_stmt *statement, struct arena *arena, struct profile *out)
{
    bool failed = false;
    if (sqlite3_column_type(statement, COLUMN_N) == SQLITE_NULL)
        return ERR_NOT_FOUND;
    *out = (struct profile){
        .private_fields = (uint32_t)sqlite3_column_int64(statement, COLUMN_PRIVATE),
        .state = span_eq(store_column(statement, COLUMN_STATE), SPAN("suspended")) ? PROFILE_SUSPENDED
                                                                                   : PROFILE_ACTIVE,
        .created_ms = sqlite3_column_int64(statement, COLUMN_CREATED),
        .place = store_row_n(statement),
        .stamps = {[PROFILE_VIEW_OWNER] = {sqlite3_column_int64(statement, COLUMN_OWNER_SEQ),
                                           sqlite3_column_int64(statement, COLUMN_OWNER_AT)},
                   [PROFILE_VIEW_PUBLIC] = {sqlite3_column_int64(statement, COLUMN_PUBLIC_SEQ),
                                            sqlite3_column_int64(statement, COLUMN_PUBLIC_AT)}},
    };
    out->id = copy_column(statement, COLUMN_ID, arena, &failed);
    out->handle = copy_column(statement, COLUMN_HANDLE, arena, &failed);
    for (size_t field = 0; field < PROFILE_FIELD_COUNT; field++)
        out->values[field] = field_value(statement, field, arena, &failed);
    return failed ? ERR_NOMEM : OK;
}

int64_t store_row_n(sqlite3_stmt *statement)
{
    return sqlite3_column_int64(statement, COLUMN_N);
}

int64_t store_row_asked(sqlite3_stmt *statement)
{
    return sqlite3_column_int64(statement, COLUMN_ASKED);
}
