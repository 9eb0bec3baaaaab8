/* Lists and search over the store: what is found, what never is, and that no word outlives its profile. */
#include "store/erase.h"
#include "store/inspect.h"
#include "store/search.h"
#include "support_store.h"

#include "crypto/init.h"
#include "store/tokenizer.h"

enum { MOST = 50 };

/* The ids that a search finds, ","-separated, in its order; "!" and an err's name when there is none. */
static const char *find(struct support_store *s, const char *q, int64_t after, size_t limit)
{
    static char text[MOST * 20];
    struct profile found[MOST];
    struct store_snapshot snapshot;
    struct store_words words;
    struct err_detail detail = {0};
    size_t count, len = 0;
    enum err e = store_words_read(s->store, span_str(q), &s->arena, &words, &detail);
    text[0] = '\0';
    if (e == OK && words.count > 0)
        e = store_search_page(s->store, &words, after, limit, &s->arena, found, &count, &snapshot, &detail);
    else if (e == OK)
        return "!no words";
    if (e != OK) {
        snprintf(text, sizeof text, "!%s", err_name(e));
        return text;
    }
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", i == 0 ? "" : ",",
                                SPAN_ARG(found[i].id));
    return text;
}

static const char *list(struct support_store *s, const char *after, size_t limit)
{
    static char text[MOST * 20];
    struct profile found[MOST];
    struct store_snapshot snapshot;
    size_t count, len = 0;
    text[0] = '\0';
    ASSERT_OK(store_list_page(s->store, span_str(after), limit, &s->arena, found, &count, &snapshot, detail));
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", i == 0 ? "" : ",",
                                SPAN_ARG(found[i].id));
    return text;
}

static void add(struct support_store *s, const char *id, const char *handle, const char *name)
{
    struct profile p = support_profile(id, handle);
    p.values[PROFILE_FIELD_name] = span_str(name);
    assert_int_equal(support_insert(s, &p), OK);
}

static const char *health(struct support_store *s)
{
    static char out[48];
    ASSERT_OK(store_search_check(s->store, out, sizeof out, detail));
    return out;
}

static int set_up(void **state)
{
    if (support_set_up(state) != 0)
        return 1;
    add(*state, "a", "ann_lee", "Ünïcode Änn");
    add(*state, "b", "bob", "Bob O'Hara-Smith");
    add(*state, "c", "carla9", "山田 太郎");
    add(*state, "d", "dora", "İpek Straße ﬁn");
    add(*state, "e", "eve", NULL);
    return 0;
}

static void test_what_is_found(void **state)
{
    static const struct {
        const char *q, *ids;
    } rows[] = {
        {"unicode", "a"},      {"UNI", "a"},      {"ünï", "a"},
        {"U\xcc\x88nic", "a"}, /* a combining mark */
        {"an", "a"},           {"ann lee", "a"},  {"lee ann uni", "a"},
        {"ann bob", ""},       {"nicode", ""}, /* the beginning of a word, and no other part of it */
        {"o'hara", "b"},       {"hara smi", "b"}, {"山田", "c"},
        {"太", "c"},           {"田", ""},        {"carla9", "c"},
        {"carla 9", ""},       {"ipek", "d"},     {"İPEK", "d"},
        {"straße", "d"},       {"STRAẞE", "d"},   {"ﬁn", "d"},
        {"bo", "b"},           {"unicodes", ""},  {"zz", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(find(*state, rows[i].q, 0, MOST), rows[i].ids) != 0)
            fail_msg("'%s' found '%s', not '%s'", rows[i].q, find(*state, rows[i].q, 0, MOST), rows[i].ids);
    assert_string_equal(health(*state), "ok");
}

/* Nothing that is searched is syntax: each gives what its words give, or has no words. */
static void test_syntax_is_text(void **state)
{
    static const struct {
        const char *q, *ids;
    } rows[] = {
        {"\"", "!no words"},
        {"*", "!no words"},
        {"() ^ + - : {} \\", "!no words"},
        {"'; DROP TABLE profiles; --", ""},
        {"a* OR b*", ""},
        {"ann OR bob", ""},
        {"ann NOT bob", ""},
        {"NEAR(ann lee, 2)", ""},
        {"name : ann", ""},
        {"{handle name} : ann", ""},
        {"handle:ann", ""},
        {"\"ann\" lee*", "a"},
        {"ann^ +lee", "a"},
        {"\"\"\"\"ann\"\"", "a"},
        {"🌻🌻", "!no words"},
        {"\xe2\x80\x8b\xe2\x80\x8b", "!no words"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(find(*state, rows[i].q, 0, MOST), rows[i].ids) != 0)
            fail_msg("'%s' found '%s', not '%s'", rows[i].q, find(*state, rows[i].q, 0, MOST), rows[i].ids);
    assert_string_equal(find(*state, "aa bb cc dd ee ff gg hh ii", 0, MOST), "!too large");
}

static void test_words(void **state)
{
    struct support_store *s = *state;
    struct store_words words;
    ASSERT_OK(store_words_read(s->store, SPAN("Mär ma mary j"), &s->arena, &words, detail));
    assert_int_equal(words.count, 2); /* mary, j: the others say no more */
    assert_true(span_eq(words.list[0], SPAN("mary")));
    assert_int_equal(words.letters, 4);
    ASSERT_OK(store_words_read(s->store, SPAN("é"), &s->arena, &words, detail));
    assert_int_equal(words.letters, 1);
}

/* What the tokenizer gives, it leaves as it is when FTS5 hands it to it again: or a word might become two,
 * which an index without positions refuses. And the quote is no letter. */
static void test_folding_twice_is_folding_once(void **state)
{
    struct support_store *s = *state;
    struct store_words once, twice;
    for (uint32_t cp = 0x21; cp < 0x20000; cp++) {
        char text[8];
        size_t n = 0;
        if (cp >= 0xd800 && cp < 0xe000)
            continue;
        if (cp < 0x80)
            text[n++] = (char)cp;
        else if (cp < 0x800)
            text[n++] = (char)(0xc0 | cp >> 6), text[n++] = (char)(0x80 | (cp & 63));
        else if (cp < 0x10000)
            text[n++] = (char)(0xe0 | cp >> 12), text[n++] = (char)(0x80 | (cp >> 6 & 63)),
            text[n++] = (char)(0x80 | (cp & 63));
        else
            text[n++] = (char)(0xf0 | cp >> 18), text[n++] = (char)(0x80 | (cp >> 12 & 63)),
            text[n++] = (char)(0x80 | (cp >> 6 & 63)), text[n++] = (char)(0x80 | (cp & 63));
        text[n++] = 'x';
        ASSERT_OK(store_words_read(s->store, span_of(text, n), &s->arena, &once, detail));
        for (size_t i = 0; i < once.count; i++) {
            ASSERT_OK(store_words_read(s->store, once.list[i], &s->arena, &twice, detail));
            if (twice.count != 1 || !span_eq(twice.list[0], once.list[i]))
                fail_msg("U+%04X is folded to something that folds further", cp);
            assert_null(memchr(once.list[i].ptr, '"', once.list[i].len));
        }
        arena_reset(&s->arena);
    }
}

/* Each statement of a hand at the sqlite3 shell, and what is found right after it. */
static void test_a_hand_at_the_shell(void **state)
{
    static const struct {
        const char *sql, *q, *ids;
    } rows[] = {
        {"UPDATE profiles SET name = 'Zoe' WHERE id = 'a'", "uni", ""},
        {"SELECT 1", "zoe", "a"},
        {"UPDATE profiles SET private = private | 1 WHERE id = 'a'", "zoe", ""},
        {"SELECT 1", "ann", "a"}, /* by handle still */
        {"UPDATE profiles SET name = 'Secret' WHERE id = 'a'", "secret", ""},
        {"UPDATE profiles SET private = private & ~1 WHERE id = 'a'", "secret", "a"},
        {"UPDATE profiles SET bio = 'zebra' WHERE id = 'a'", "zebra", ""},
        {"UPDATE profiles SET state = 'suspended' WHERE id = 'a'", "secret", ""},
        {"SELECT 1", "ann", ""},
        {"UPDATE profiles SET name = 'Hidden' WHERE id = 'a'", "hidden", ""},
        {"UPDATE profiles SET state = 'active' WHERE id = 'a'", "hidden", "a"},
        {"UPDATE profiles SET handle = 'quux' WHERE id = 'a'", "ann", ""},
        {"SELECT 1", "quux", "a"},
        {"UPDATE profiles SET n = 900 WHERE id = 'a'", "quux", "a"},
        {"UPDATE profiles SET id = 'a2' WHERE id = 'a'", "quux", "a2"},
        {"DELETE FROM profiles WHERE id = 'a2'", "quux", ""},
        {"INSERT INTO profiles (id, handle, name) VALUES ('f', 'foo', 'Foo Fighter')", "fighter", "f"},
        {"INSERT INTO profiles (id, handle, name, private) VALUES ('g', 'goo', 'Private', 1)", "private", ""},
        {"INSERT INTO profiles (id, handle, state) VALUES ('h', 'hoo', 'suspended')", "hoo", ""},
        {"REPLACE INTO profiles (id, handle, name) VALUES ('f', 'foo', 'Walker')", "fighter", ""},
        {"SELECT 1", "walker", "f"},
        {"REPLACE INTO profiles (id, handle, name) VALUES ('i', 'foo', 'Runner')", "walker", ""},
        {"SELECT 1", "foo", "i"},
        {"REPLACE INTO profiles (id, handle) VALUES ('i', 'bob')", "bob", "i"}, /* two pushed out */
        {"SELECT 1", "runner", ""},
        {"UPDATE OR REPLACE profiles SET handle = 'carla9' WHERE id = 'i'", "carla9", "i"},
        {"SELECT 1", "山田", ""},
        {"INSERT OR IGNORE INTO profiles (id, handle) VALUES ('i', 'ignored')", "ignored", ""},
        {"INSERT INTO profiles (id, handle) VALUES ('i', 'zz') ON CONFLICT (id) DO UPDATE SET name = "
         "'Upsert'",
         "upsert", "i"},
        {"BEGIN; UPDATE profiles SET name = 'Undone' WHERE id = 'i'; ROLLBACK", "undone", ""},
        {"DELETE FROM profiles", "ev", ""},
    };
    struct support_store *s = *state;
    for (int caught_up = 0; caught_up < 2; caught_up++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            support_sql(s, rows[i].sql);
            if (strcmp(health(s), "ok") != 0)
                fail_msg("after %s the index %s", rows[i].sql, health(s));
            /* the second time all of it is brought up to date at the end alone */
            const char *ids = caught_up == 0 ? find(s, rows[i].q, 0, MOST) : rows[i].ids;
            if (strcmp(ids, rows[i].ids) != 0)
                fail_msg("after %s '%s' found '%s', not '%s'", rows[i].sql, rows[i].q, ids, rows[i].ids);
        }
        assert_string_equal(find(s, "ann", 0, MOST), "");
        assert_string_equal(health(s), "ok");
        support_expect(s, "SELECT count(*) FROM search_pending", "0");
        add(s, "a", "ann_lee", "Ünïcode Änn");
        add(s, "b", "bob", NULL);
        add(s, "c", "carla9", "山田");
    }
}

/* What stands in the table of what is pending, is not found, even where it cannot be put right now. */
static void test_what_is_pending_is_not_found(void **state)
{
    struct support_store *s = *state;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(s->path, &db), SQLITE_OK);
    assert_string_equal(find(s, "uni", 0, MOST), "a");
    support_sql(s, "UPDATE profiles SET private = private | 1 WHERE id = 'a'");
    store_close(&s->store);
    struct store_options options = support_options;
    options.read_only = true;
    ASSERT_OK(store_open(s->url, &options, &s->store, detail));
    assert_string_equal(find(s, "uni", 0, MOST), "");
    assert_string_equal(find(s, "ann", 0, MOST), "");
    assert_string_equal(list(s, "", 2), "a,b"); /* a list goes by the rows */
    sqlite3_close(db);
}

static void test_a_batch(void **state)
{
    struct support_store *s = *state;
    struct store_snapshot snapshot;
    struct err_detail ignored = {0};
    enum store_taken taken;
    struct profile p;
    ASSERT_OK(store_batch_begin(s->store, detail));
    add(s, "x", "xenia", "Old Name");
    ASSERT_OK(store_profile_get(s->store, SPAN("x"), &s->arena, &p, &snapshot, detail));
    p.values[PROFILE_FIELD_name] = SPAN("New Name");
    assert_int_equal(store_profile_update(s->store, &p, false, &snapshot, &taken, &ignored), OK);
    ASSERT_OK(store_profile_get(s->store, SPAN("b"), &s->arena, &p, &snapshot, detail));
    p.values[PROFILE_FIELD_name] = SPAN("Robert");
    assert_int_equal(store_profile_update(s->store, &p, false, &snapshot, &taken, &ignored), OK);
    add(s, "y", "yann", "Short Lived");
    ASSERT_OK(store_profile_get(s->store, SPAN("y"), &s->arena, &p, &snapshot, detail));
    ASSERT_OK(store_profile_delete(s->store, SPAN("y"), p.stamps[PROFILE_VIEW_OWNER].seq, detail));
    ASSERT_OK(
        store_profile_get(s->store, SPAN("e"), &s->arena, &p, &snapshot, detail)); /* the highest place */
    ASSERT_OK(store_profile_delete(s->store, SPAN("e"), p.stamps[PROFILE_VIEW_OWNER].seq, detail));
    add(s, "z", "zara", "Last One");
    ASSERT_OK(store_batch_end(s->store, true, detail));
    assert_string_equal(find(s, "name", 0, MOST), "x");
    assert_string_equal(find(s, "old", 0, MOST), "");
    assert_string_equal(find(s, "ohara hara", 0, MOST), "");
    assert_string_equal(find(s, "robert", 0, MOST), "b");
    assert_string_equal(find(s, "yann", 0, MOST), "");
    assert_string_equal(find(s, "eve", 0, MOST), "");
    assert_string_equal(find(s, "last", 0, MOST), "z");
    assert_string_equal(health(s), "ok");
    support_expect(s, "SELECT (SELECT count(*) FROM search_pending), (SELECT count(*) FROM search_bulk)",
                   "0|0");
    ASSERT_OK(store_batch_begin(s->store, detail));
    add(s, "u", "undone", "Undone");
    ASSERT_OK(store_batch_end(s->store, false, detail));
    assert_string_equal(find(s, "undone", 0, MOST), "");
    add(s, "u", "urs", "Undone Not");
    assert_string_equal(find(s, "undone", 0, MOST), "u");
    assert_string_equal(health(s), "ok");
}

static void test_pages(void **state)
{
    struct support_store *s = *state;
    assert_string_equal(list(s, "", 3), "a,b,c");
    assert_string_equal(list(s, "carla9", 3), "d,e");
    assert_string_equal(list(s, "carla", 3), "c,d,e"); /* no row need have the key that is begun behind */
    support_sql(s, "UPDATE profiles SET state = 'suspended' WHERE id IN ('b', 'c')");
    assert_string_equal(list(s, "", 3), "a,d,e");
    support_sql(s, "UPDATE profiles SET state = 'active', name = 'Anna' WHERE id IN ('b', 'c', 'd', 'e')");
    assert_string_equal(find(s, "an", 0, 2), "a,b");
    assert_string_equal(find(s, "an", 2, 2), "c,d");
    assert_string_equal(find(s, "an", 4, 2), "e");
    assert_string_equal(find(s, "an", INT64_MAX, 2), "");
}

/* ---- erasure */

static bool file_holds(const char *path, const char *word)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return false;
    size_t len = strlen(word), size;
    fseek(f, 0, SEEK_END);
    size = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(size + 1);
    assert_int_equal(fread(bytes, 1, size, f), size);
    bool held = size >= len && memmem(bytes, size, word, len) != NULL;
    free(bytes);
    fclose(f);
    return held;
}

static bool held(struct support_store *s, const char *word)
{
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", s->path);
    return file_holds(s->path, word) || file_holds(wal, word);
}

/* Makes steps until there is nothing to do; how many. */
static int erase(struct support_store *s)
{
    int steps = 0, due_ms;
    while ((due_ms = store_erase_due(s->store)) >= 0 && steps < 1000) {
        usleep((unsigned)due_ms * 1000);
        ASSERT_OK(store_erase_step(s->store, detail));
        steps++;
    }
    return steps;
}

static void test_erased_words_are_gone(void **state)
{
    static const struct {
        const char *sql, *what;
    } rows[] = {
        {"DELETE FROM profiles WHERE id = 'w'", "deleted"},
        {"UPDATE profiles SET name = 'Plain' WHERE id = 'w'", "renamed"},
        {"REPLACE INTO profiles (id, handle) VALUES ('w', 'warm')", "replaced"},
    };
    struct support_store *s = *state;
    struct err_detail ignored = {0};
    for (int i = 0; i < 300; i++) {
        char id[16], handle[16], name[32];
        snprintf(id, sizeof id, "n%d", i);
        snprintf(handle, sizeof handle, "h%d", i * 7919 % 300);
        snprintf(name, sizeof name, "Given%d Family%d", i * 31 % 97, i);
        add(s, id, handle, name);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        add(s, "w", "warm", "Qxzvkjwpqhm Zyqwvxkjh");
        assert_int_equal(store_checkpoint(s->store, true, &ignored), OK);
        if (!held(s, "qxzvkjwpqhm"))
            fail_msg("%s: it was not there to begin with", rows[i].what);
        support_sql(s, rows[i].sql);
        assert_string_equal(find(s, "qxzvk", 0, MOST), "");
        int steps = erase(s);
        if (steps < 2 || steps > 20)
            fail_msg("%s: %d steps", rows[i].what, steps);
        for (size_t n = 4; n <= 11; n++) { /* no beginning of it in an index of beginnings, either */
            char word[16];
            snprintf(word, sizeof word, "%.*s", (int)n, "qxzvkjwpqhm");
            if (held(s, word))
                fail_msg("%s: '%s' is still there", rows[i].what, word);
        }
        assert_false(held(s, "zyqwv"));
        assert_false(held(s, "Zyqwv"));
        assert_string_equal(health(s), "ok");
        support_sql(s, "DELETE FROM profiles WHERE id = 'w'");
        erase(s);
    }
    assert_string_equal(find(s, "family299", 0, MOST), "n299");
    assert_int_equal(store_erase_due(s->store), -1);
}

/* Again and again, with writes in between: the index stays small and sound. */
static void test_many_erasures(void **state)
{
    struct support_store *s = *state;
    for (int i = 0; i < 150; i++) {
        char sql[160];
        snprintf(sql, sizeof sql, "UPDATE profiles SET name = 'Name%d' WHERE id = 'a'", i);
        support_sql(s, sql);
        assert_string_equal(find(s, "name", 0, MOST), "a");
        support_sql(s, "UPDATE search_erasure SET due_at = 0");
        ASSERT_OK(store_erase_step(s->store, detail));
        if (i % 3 == 0) { /* a new segment, while a merge may be under way */
            snprintf(sql, sizeof sql, "x%d", i);
            add(s, sql, sql, "Newcomer");
        }
        ASSERT_OK(store_erase_step(s->store, detail));
    }
    assert_string_equal(health(s), "ok");
    assert_false(held(s, "name12"));
}

/* A step that is cut off by a death leaves the merge where it was: the next one, of anybody, goes on. */
static void test_another_goes_on(void **state)
{
    struct support_store *s = *state;
    add(s, "w", "warm", "Qxzvkjwpqhm");
    support_sql(s, "DELETE FROM profiles WHERE id = 'w'");
    assert_string_equal(find(s, "qxz", 0, MOST), "");
    assert_int_equal(store_erase_due(s->store), 0);
    ASSERT_OK(store_erase_step(s->store, detail));
    store_close(&s->store);
    support_open(s);
    assert_true(store_erase_due(s->store) >= 0);
    erase(s);
    assert_false(held(s, "qxzv"));
}

static void test_a_damaged_index_hinders_no_write(void **state)
{
    struct support_store *s = *state;
    struct store_snapshot snapshot;
    struct profile p;
    support_sql(s, "UPDATE search_data SET block = x'00' WHERE id > 10");
    assert_string_not_equal(health(s), "ok");
    add(s, "k", "kim", "Kim Damaged");
    ASSERT_OK(store_profile_get(s->store, SPAN("k"), &s->arena, &p, &snapshot, detail));
    ASSERT_OK(store_search_rebuild(s->store, detail));
    assert_string_equal(health(s), "ok");
    assert_string_equal(find(s, "damaged", 0, MOST), "k");
    assert_string_equal(find(s, "uni", 0, MOST), "a");
}

static void test_secret(void **state)
{
    struct support_store *s = *state;
    unsigned char a[STORE_SECRET_LEN], b[STORE_SECRET_LEN], c[STORE_SECRET_LEN];
    ASSERT_OK(store_secret(s->store, "one", a, detail));
    ASSERT_OK(store_secret(s->store, "two", b, detail));
    assert_memory_not_equal(a, b, sizeof a);
    store_close(&s->store);
    support_open(s);
    ASSERT_OK(store_secret(s->store, "one", c, detail));
    assert_memory_equal(a, c, sizeof a);
}

static void test_the_tokenizer_is_the_indexes(void **state)
{
    support_expect(*state,
                   "SELECT sql LIKE '%tokenize = ''unicode61 remove_diacritics 2''%' FROM sqlite_schema "
                   "WHERE name = 'search'",
                   "1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, support_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_found),
        TEST(test_syntax_is_text),
        TEST(test_words),
        TEST(test_folding_twice_is_folding_once),
        TEST(test_a_hand_at_the_shell),
        TEST(test_what_is_pending_is_not_found),
        TEST(test_a_batch),
        TEST(test_pages),
        TEST(test_erased_words_are_gone),
        TEST(test_many_erasures),
        TEST(test_another_goes_on),
        TEST(test_a_damaged_index_hinders_no_write),
        TEST(test_secret),
        TEST(test_the_tokenizer_is_the_indexes),
    };
    return crypto_init() == OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
