#include "store/erase.h"

#include "base/clock.h"
#include "store/handle.h"

#include <stdatomic.h>

enum {
    SMALL_PAGES = 256,        /* an index up to this is merged without a pause */
    STEP_PAGES = 64,          /* that a step writes: a few milliseconds */
    REST = 9,                 /* times what a step took is waited behind it */
    BETWEEN_MS = 1000,        /* merges, at least */
    BETWEEN_MOST_MS = 600000, /* and at most: a clock may be set, and a pool may have stood still */
    LATER_MS = 50,            /* where the lock was not to be had */
    DAMAGED_MS = 60000,       /* where the index is damaged */
    MAX_SEGMENTS = 2000,
    COPY_BACK = -1,
};

/* The row of search_erasure. */
struct state {
    bool wanted;
    int64_t segment, begun_ms, due_ms;
    bool behind; /* the index is, by what the sqlite3 shell did */
};

/* What FTS5 keeps about its segments (the record of id 10, "structure" in its sources). */
struct structure {
    size_t segments;
    int64_t pages;
    int64_t merging_to; /* the segment that the deepest merge under way writes to; 0: none is */
};

/* FTS5's varint is SQLite's: seven bits a byte, the ninth byte whole. */
static bool take_varint(struct span *s, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < s->len && i < 9; i++) {
        unsigned char byte = (unsigned char)s->ptr[i];
        value = i == 8 ? value << 8 | byte : value << 7 | (byte & 0x7f);
        if (i == 8 || (byte & 0x80) == 0) {
            *out = value;
            *s = span_from(*s, i + 1);
            return true;
        }
    }
    return false;
}

static bool take_level(struct span *block, uint64_t inputs, uint64_t *inputs_of_this, struct structure *out)
{
    uint64_t count, id, first, last;
    if (!take_varint(block, inputs_of_this) || !take_varint(block, &count) || count > MAX_SEGMENTS)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!take_varint(block, &id) || !take_varint(block, &first) || !take_varint(block, &last))
            return false;
        out->segments++;
        out->pages += (int64_t)(last - first) + 1;
        /* the last of a level is what the level before is merged into */
        if (inputs > 0 && i + 1 == count)
            out->merging_to = (int64_t)id;
    }
    return true;
}

static bool parse_structure(struct span block, struct structure *out)
{
    uint64_t levels, count, writes, inputs = 0;
    *out = (struct structure){0};
    if (block.len < 4) /* a cookie */
        return false;
    block = span_from(block, 4);
    if (!take_varint(&block, &levels) || !take_varint(&block, &count) || !take_varint(&block, &writes) ||
        levels > MAX_SEGMENTS)
        return false;
    for (uint64_t i = 0; i < levels; i++)
        if (!take_level(&block, inputs, &inputs, out))
            return false;
    return true;
}

static enum err read_structure(struct store *s, struct structure *out, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_ERASURE_STRUCTURE];
    int code = sqlite3_step(stmt);
    bool sound =
        code == SQLITE_ROW &&
        parse_structure(span_of(sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0)), out);
    sqlite3_reset(stmt);
    if (code != SQLITE_ROW)
        return store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
    return sound ? OK : err_set(detail, ERR_INVALID, "the search index is damaged: run profiled db reindex");
}

static enum err read_state(struct store *s, struct state *out, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_ERASURE_GET];
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *out = (struct state){sqlite3_column_int(stmt, 0) != 0, sqlite3_column_int64(stmt, 1),
                              sqlite3_column_int64(stmt, 2), sqlite3_column_int64(stmt, 3),
                              sqlite3_column_int(stmt, 4) != 0};
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? OK : store_failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, detail);
}

static enum err write_state(struct store *s, const struct state *state, struct err_detail *detail)
{
    sqlite3_stmt *stmt = s->statements[STORE_ERASURE_PUT];
    sqlite3_bind_int(stmt, 1, state->wanted);
    sqlite3_bind_int64(stmt, 2, state->segment);
    sqlite3_bind_int64(stmt, 3, state->begun_ms);
    sqlite3_bind_int64(stmt, 4, state->due_ms);
    return store_step(s, STORE_ERASURE_PUT, detail);
}

static bool is_open(const struct state *state)
{
    return state->wanted || state->segment != 0;
}

/* pages below 0: of a new merge of all that there is, which begins with it. */
static enum err merge(struct store *s, int pages, struct err_detail *detail)
{
    enum err e;
    sqlite3_stmt *stmt = store_statement(s, STORE_SEARCH_MERGE, &e, detail);
    if (stmt == NULL)
        return e;
    sqlite3_bind_int(stmt, 1, pages);
    return store_step(s, STORE_SEARCH_MERGE, detail);
}

/* Begins a merge or goes on with it, inside a transaction. *rest: it may be waited before the next step. */
static enum err advance(struct store *s, struct state *state, bool *rest, struct err_detail *detail)
{
    struct structure structure;
    enum err e = read_structure(s, &structure, detail);
    if (e != OK)
        return e;
    const bool small = structure.pages <= SMALL_PAGES;
    const int pages = small ? 4 * SMALL_PAGES : STEP_PAGES;
    *rest = !small;
    if (state->segment == 0) {
        state->begun_ms = clock_now_ms(&clock_system);
        state->wanted = false;
    }
    if ((e = merge(s, state->segment == 0 ? -pages : pages, detail)) != OK ||
        (e = read_structure(s, &structure, detail)) != OK)
        return e;
    if (state->segment == 0)
        state->segment = structure.merging_to;
    if (structure.merging_to == 0 || structure.merging_to != state->segment)
        state->segment = COPY_BACK;
    return OK;
}

/* Forgets what was seen, and has no step made before then. */
static void look_again(struct store *s, int64_t not_before_ms)
{
    s->erase.header[0] = 0;
    s->erase.not_before_ms = not_before_ms;
}

/* The database's own file still has the pages as they were, and the log what they were before that. */
static enum err copy_back(struct store *s, bool *whole, struct err_detail *detail)
{
    int log_pages = -1, copied = -1;
    *whole = false;
    sqlite3_busy_timeout(s->db, LATER_MS);
    int code = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &log_pages, &copied);
    sqlite3_busy_timeout(s->db, s->options.busy_ms);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        return store_failed(s, code, detail);
    *whole = code == SQLITE_OK && log_pages == 0;
    if (*whole)
        store_wal_note(s, 0);
    return OK;
}

static enum err catch_up(struct store *s, struct err_detail *detail)
{
    struct state state;
    enum err e = store_step(s, STORE_BEGIN, detail);
    if (e != OK)
        return e;
    s->search_due = true;
    if ((e = store_end_locked(s, true, detail)) == OK && (e = read_state(s, &state, detail)) == OK &&
        state.behind)
        look_again(s, clock_now_ms(&clock_system) + DAMAGED_MS);
    return e;
}

/* Under the lock. */
static enum err step_locked(struct store *s, struct err_detail *detail)
{
    struct state state;
    const int64_t begun_us = clock_monotonic_us(), now_ms = clock_now_ms(&clock_system);
    bool rest = false, whole = false;
    enum err e = read_state(s, &state, detail);
    if (e == OK && state.behind)
        return catch_up(s, detail);
    /* another one was here meanwhile */
    if (e != OK || !is_open(&state) || (state.due_ms > now_ms && state.due_ms - now_ms <= BETWEEN_MOST_MS))
        return e;
    if (state.segment == COPY_BACK) {
        if ((e = copy_back(s, &whole, detail)) != OK)
            return e;
        if (!whole)
            return look_again(s, now_ms + LATER_MS), OK;
        state.segment = 0;
        int64_t took_ms = now_ms - state.begun_ms;
        state.due_ms = now_ms + (took_ms < BETWEEN_MS        ? BETWEEN_MS
                                 : took_ms > BETWEEN_MOST_MS ? BETWEEN_MOST_MS
                                                             : took_ms);
    }
    if ((e = store_step(s, STORE_BEGIN, detail)) != OK)
        return e;
    if (!whole)
        e = advance(s, &state, &rest, detail);
    if (e == OK && !whole)
        state.due_ms = now_ms + (rest ? REST * (clock_monotonic_us() - begun_us) / 1000 : 0);
    if (e == OK)
        e = write_state(s, &state, detail);
    enum err ended = store_end_locked(s, e == OK, detail);
    return e == OK ? ended : e;
}

enum err store_erase_step(struct store *s, struct err_detail *detail)
{
    enum err e = store_ensure(s, detail);
    if (e != OK || s->in_batch || s->options.read_only || sqlite3_db_readonly(s->db, "main") == 1)
        return e;
    if ((e = store_lock_take(&s->lock, 0, detail)) == OK) {
        e = step_locked(s, detail);
        store_unlock(s, e);
    }
    if (e != OK && s->db != NULL) /* not again and again: in a second */
        look_again(s, clock_now_ms(&clock_system) + (e == ERR_BUSY ? LATER_MS : BETWEEN_MS));
    if (e == ERR_BUSY)
        detail->text[0] = '\0';
    return e == ERR_BUSY ? OK : e;
}

/* Whether the database is as it was when this was last asked. */
static bool is_as_seen(struct store *s)
{
    bool same = true;
    for (size_t i = 0; i < STORE_HEADER_WORDS; i++) {
        uint64_t word = s->wal_index[i];
        same = same && word == s->erase.header[i];
        s->erase.header[i] = word;
    }
    return same;
}

int store_erase_due(struct store *s)
{
    struct state state;
    struct err_detail ignored = {0};
    if (s->db == NULL || s->wal_index == NULL || s->in_batch || s->options.read_only)
        return -1;
    /* the header is taken before the row is read, so that what is committed in between is seen next time */
    if (!is_as_seen(s)) {
        if (read_state(s, &state, &ignored) != OK)
            return -1;
        s->erase.wanted = is_open(&state) || state.behind;
        s->erase.due_ms = state.behind ? 0 : state.due_ms;
    }
    if (!s->erase.wanted)
        return -1;
    int64_t due_ms = s->erase.due_ms > s->erase.not_before_ms ? s->erase.due_ms : s->erase.not_before_ms;
    int64_t wait_ms = due_ms - clock_now_ms(&clock_system);
    return wait_ms <= 0 || wait_ms > BETWEEN_MOST_MS ? 0 : wait_ms > 60000 ? 60000 : (int)wait_ms;
}
