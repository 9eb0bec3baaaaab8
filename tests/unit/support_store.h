/* For the tests of the store: a database in a folder of its own, and SQL as somebody with the sqlite3 shell
 * would write it. */
#pragma once
#include "base/buf.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct support_store {
    char folder[64];
    char path[96]; /* of the database */
    char url[112];
    struct store *store;
    struct arena arena;
};

static const struct store_options support_options = {.synchronous_full = false, .busy_ms = 5000};

/* The store's answers must be OK and say so. */
#define ASSERT_OK(call)                                                                                      \
    do {                                                                                                     \
        struct err_detail detail_ = {0};                                                                     \
        struct err_detail *detail = &detail_;                                                                \
        enum err e_ = (call);                                                                                \
        if (e_ != OK)                                                                                        \
            fail_msg("%s: %s: %s", #call, err_name(e_), detail->text);                                       \
    } while (0)

static inline void support_open(struct support_store *s)
{
    ASSERT_OK(store_open(s->url, &support_options, &s->store, detail));
}

/* The setup of a test: state is a struct support_store with an empty database, open. */
static inline int support_set_up(void **state)
{
    struct support_store *s = calloc(1, sizeof *s);
    int applied;
    if (s == NULL)
        return 1;
    snprintf(s->folder, sizeof s->folder, "/tmp/profiled-store-XXXXXX");
    if (mkdtemp(s->folder) == NULL)
        return 1;
    snprintf(s->path, sizeof s->path, "%s/p.db", s->folder);
    snprintf(s->url, sizeof s->url, "sqlite:%s", s->path);
    ASSERT_OK(store_migrate(s->url, &support_options, &applied, detail));
    support_open(s);
    *state = s;
    return 0;
}

static inline int support_tear_down(void **state)
{
    struct support_store *s = *state;
    char command[96];
    store_close(&s->store);
    arena_fini(&s->arena);
    snprintf(command, sizeof command, "rm -rf '%s'", s->folder);
    int status = system(command);
    free(s);
    return status;
}

/* Runs SQL on a connection of its own, with nothing set; the code of the first thing that failed. */
static inline int support_sql_code(const struct support_store *s, const char *sql)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READWRITE, NULL);
    sqlite3_busy_timeout(db, 5000);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return code;
}

static inline void support_sql(const struct support_store *s, const char *sql)
{
    int code = support_sql_code(s, sql);
    if (code != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errstr(code));
}

/* Appends the rows: columns separated by '|', rows by ';', NULL as nothing. */
static inline void support_query(const struct support_store *s, const char *sql, struct buf *out)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    for (bool first = true; sqlite3_step(stmt) == SQLITE_ROW; first = false) {
        if (!first)
            buf_char(out, ';');
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            if (i > 0)
                buf_char(out, '|');
            buf_append(out, span_str(sqlite3_column_type(stmt, i) == SQLITE_NULL
                                         ? ""
                                         : (const char *)sqlite3_column_text(stmt, i)));
        }
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    assert_int_equal(buf_status(out), OK);
}

static inline void support_expect(const struct support_store *s, const char *sql, const char *expected)
{
    struct buf out = {0};
    support_query(s, sql, &out);
    if (strcmp(buf_text(&out), expected) != 0)
        fail_msg("%s\n gave      %s\n in place of %s", sql, buf_text(&out), expected);
    buf_fini(&out);
}

/* A profile with these names and no fields. */
static inline struct profile support_profile(const char *id, const char *handle)
{
    return (struct profile){
        .id = span_str(id), .handle = span_str(handle), .private_fields = PROFILE_PRIVATE_DEFAULT};
}

static inline enum err support_insert(struct support_store *s, struct profile *p)
{
    struct store_snapshot snapshot;
    enum store_taken taken;
    return store_profile_insert(s->store, p, true, &snapshot, &taken, NULL);
}
