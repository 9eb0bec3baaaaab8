#include "store/avatars.h"

#include "store/handle.h"

#include <stdio.h>

enum { PIECE = 64 * 1024 };

enum err store_avatar_key(struct store *s, unsigned char out[STORE_AVATAR_KEY_LEN], struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    if (e != OK)
        return e;
    sqlite3_stmt *stmt = s->statements[STORE_AVATAR_KEY];
    int code = sqlite3_step(stmt);
    bool there = code == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == STORE_AVATAR_KEY_LEN;
    if (there)
        memcpy(out, sqlite3_column_blob(stmt, 0), STORE_AVATAR_KEY_LEN);
    sqlite3_reset(stmt);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return store_failed(s, code, detail);
    return there ? OK : err_set(detail, ERR_IO, "%s has no key for images: run profiled db migrate", s->path);
}

/* The first column of the only row as a number; ERR_NOT_FOUND: there is none. The statement is reset. */
static enum err one_number(struct store *s, enum store_statement statement, int64_t *out,
                           struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[statement];
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    if (code == SQLITE_ROW)
        return OK;
    return code == SQLITE_DONE ? ERR_NOT_FOUND : store_failed(s, code, detail);
}

/* ---- writing */

static enum err write_content(struct store *s, int64_t n, const struct store_avatar *a,
                              struct err_detail *detail)
{
    char piece[PIECE];
    sqlite3_blob *blob = NULL;
    enum err e = OK;
    int code = sqlite3_blob_open(s->db, "main", "images", "content", n, 1, &blob);
    for (uint64_t at = 0; code == SQLITE_OK && e == OK && at < a->len; at += PIECE) {
        size_t len = a->len - at < PIECE ? (size_t)(a->len - at) : PIECE;
        if ((e = a->read(a->data, at, piece, len)) == OK)
            code = sqlite3_blob_write(blob, piece, (int)len, (int)at);
    }
    int closed = sqlite3_blob_close(blob);
    code = code == SQLITE_OK ? closed : code;
    return e == OK && code != SQLITE_OK ? store_failed(s, code, detail) : e;
}

static enum err write_thumbnails(struct store *s, int64_t n, const struct store_avatar *a,
                                 struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_THUMBNAIL_INSERT];
    enum err e = OK;
    for (size_t i = 0; i < a->thumbnail_count && e == OK; i++) {
        struct span bytes = a->thumbnails[i].bytes;
        sqlite3_bind_int64(stmt, 1, n);
        sqlite3_bind_int64(stmt, 2, a->thumbnails[i].size);
        sqlite3_bind_blob64(stmt, 3, bytes.ptr, bytes.len, SQLITE_STATIC);
        e = store_step(s, STORE_THUMBNAIL_INSERT, detail);
    }
    if (s->db != NULL)
        sqlite3_clear_bindings(stmt);
    return e;
}

/* The image's row, which is made when it is not there. */
static enum err take_image(struct store *s, const struct store_avatar *a, int64_t *n,
                           struct err_detail *detail)
{
    sqlite3_stmt *insert = s->statements[STORE_IMAGE_INSERT];
    store_bind(s->statements[STORE_IMAGE_N], 1, a->hash);
    enum err e = one_number(s, STORE_IMAGE_N, n, detail);
    if (e != ERR_NOT_FOUND)
        return e;
    store_bind(insert, 1, a->hash);
    store_bind(insert, 2, a->type);
    sqlite3_bind_int64(insert, 3, (sqlite3_int64)a->len);
    if ((e = store_step(s, STORE_IMAGE_INSERT, detail)) != OK)
        return e;
    *n = sqlite3_last_insert_rowid(s->db);
    e = write_content(s, *n, a, detail);
    return e == OK ? write_thumbnails(s, *n, a, detail) : e;
}

static enum err current_hash(struct store *s, struct span id, char hash[STORE_IMAGE_HASH_LEN + 1],
                             struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_AVATAR_GET];
    store_bind(stmt, 1, id);
    int code = sqlite3_step(stmt);
    hash[0] = '\0';
    if (code == SQLITE_ROW)
        snprintf(hash, STORE_IMAGE_HASH_LEN + 1, "%.*s", SPAN_ARG(store_column(stmt, 0)));
    sqlite3_reset(stmt);
    if (code == SQLITE_ROW)
        return OK;
    return code == SQLITE_DONE ? ERR_NOT_FOUND : store_failed(s, code, detail);
}

/* Inside the transaction: there is such a profile, and what it holds is what the caller decided on. */
static enum err check(struct store *s, struct span id, const char *expected,
                      char hash[STORE_IMAGE_HASH_LEN + 1], struct err_detail *detail)
{
    enum err e = current_hash(s, id, hash, detail);
    return e == OK && expected != NULL && strcmp(expected, hash) != 0 ? ERR_CONFLICT : e;
}

/* First what the profile holds, then its picture: in the other order the trigger would see another's address.
 */
static enum err put(struct store *s, const struct store_avatar *a, bool *had, struct err_detail *detail)
{
    char hash[STORE_IMAGE_HASH_LEN + 1];
    int64_t n = 0;
    enum err e = check(s, a->id, a->expected, hash, detail);
    if (e != OK || (e = take_image(s, a, &n, detail)) != OK)
        return e;
    *had = hash[0] != '\0';
    sqlite3_stmt *hold = s->statements[STORE_AVATAR_PUT], *picture = s->statements[STORE_AVATAR_PICTURE];
    store_bind(hold, 1, a->id);
    sqlite3_bind_int64(hold, 2, n);
    store_bind(hold, 3, a->picture);
    if ((e = store_step(s, STORE_AVATAR_PUT, detail)) != OK)
        return e;
    store_bind(picture, 1, a->id);
    store_bind(picture, 2, a->picture);
    return store_step(s, STORE_AVATAR_PICTURE, detail);
}

static enum err end(struct store *s, enum err e, struct err_detail *detail)
{
    enum err ended = store_write_end(s, e == OK, detail);
    return e == OK ? ended : e;
}

enum err store_avatar_put(struct store *s, const struct store_avatar *avatar, bool *had,
                          struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    *had = false;
    if (e != OK || (e = store_write_begin(s, detail)) != OK)
        return e;
    return end(s, put(s, avatar, had, detail), detail);
}

enum err store_avatar_delete(struct store *s, struct span id, const char *expected, struct err_detail *detail)
{
    char hash[STORE_IMAGE_HASH_LEN + 1];
    enum err e = store_ensure(s, detail);
    if (e != OK || (e = store_write_begin(s, detail)) != OK)
        return e;
    e = check(s, id, expected, hash, detail);
    if (e == OK && hash[0] == '\0')
        e = ERR_NOT_FOUND;
    if (e == OK) {
        store_bind(s->statements[STORE_AVATAR_PICTURE], 1, id);
        store_bind(s->statements[STORE_AVATAR_PICTURE], 2, (struct span){NULL, 0});
        e = store_step(s, STORE_AVATAR_PICTURE, detail);
    }
    return end(s, e, detail);
}

enum err store_avatar_get(struct store *s, struct span id, char hash[STORE_IMAGE_HASH_LEN + 1],
                          struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    hash[0] = '\0';
    return e == OK ? current_hash(s, id, hash, detail) : e;
}

/* ---- reading */

enum err store_image_find(struct store *s, struct span hash, unsigned size, struct store_image *out,
                          struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    *out = (struct store_image){.len = 0};
    if (e != OK)
        return e;
    sqlite3_stmt *stmt = s->statements[STORE_IMAGE_FIND];
    store_bind(stmt, 1, hash);
    sqlite3_bind_int64(stmt, 2, size);
    int code = sqlite3_step(stmt);
    bool there = code == SQLITE_ROW && sqlite3_column_type(stmt, 1) != SQLITE_NULL;
    if (there) {
        snprintf(out->type, sizeof out->type, "%.*s", SPAN_ARG(store_column(stmt, 0)));
        out->len = (uint64_t)sqlite3_column_int64(stmt, 1);
    }
    sqlite3_reset(stmt);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return store_failed(s, code, detail);
    return there ? OK : ERR_NOT_FOUND;
}

/* Within a read transaction: a row's number may be another image's by the next one. */
static enum err read_piece(struct store *s, struct span hash, unsigned size, uint64_t offset, char *to,
                           size_t len, struct err_detail *detail)
{
    enum store_statement which = size == 0 ? STORE_IMAGE_N : STORE_THUMBNAIL_N;
    sqlite3_blob *blob = NULL;
    int64_t n = 0;
    store_bind(s->statements[which], 1, hash);
    if (size != 0)
        sqlite3_bind_int64(s->statements[which], 2, size);
    enum err e = one_number(s, which, &n, detail);
    if (e != OK)
        return e;
    int code = sqlite3_blob_open(s->db, "main", size == 0 ? "images" : "thumbnails", "content", n, 0, &blob);
    if (code == SQLITE_OK)
        code = sqlite3_blob_read(blob, to, (int)len, (int)offset);
    sqlite3_blob_close(blob);
    return code == SQLITE_OK ? OK : store_failed(s, code, detail);
}

enum err store_image_read(struct store *s, struct span hash, unsigned size, uint64_t offset, char *to,
                          size_t len, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    if (e != OK || (e = store_step(s, STORE_BEGIN_READ, detail)) != OK)
        return e;
    e = read_piece(s, hash, size, offset, to, len, detail);
    if (s->db != NULL && sqlite3_get_autocommit(s->db) == 0) {
        struct err_detail ignored = {0};
        enum err ended = store_step(s, STORE_ROLLBACK, &ignored);
        e = e == OK ? ended : e;
    }
    return e;
}
