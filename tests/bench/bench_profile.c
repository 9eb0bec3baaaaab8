/* What a profile costs: reading JSON, judging it, both views, patches. Prints µs a call; the best of several
 * rounds, since whatever else the machine does only ever adds. */
#include "base/clock.h"
#include "profile/json_patch.h"
#include "profile/merge_patch.h"
#include "profile/parse.h"
#include "json/load.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 7, CALLS = 20000 };

static const char typical[] =
    "{\"handle\":\"ada_lovelace\",\"name\":\"Ada "
    "Lovelace\",\"given_name\":\"Ada\",\"family_name\":\"Lovelace\","
    "\"nickname\":\"Countess\",\"pronouns\":\"she/her\","
    "\"bio\":\"Wrote the first program, for a machine that was never built.\\nCurious about flying.\","
    "\"picture\":\"https://images.example.org/people/ada/portrait-256.png\",\"website\":\"https://"
    "ada.example.org/\","
    "\"locale\":\"en-GB\",\"zoneinfo\":\"Europe/London\",\"email\":\"ada@example.org\","
    "\"phone_number\":\"+442071234567\",\"birthdate\":\"1815-12-10\","
    "\"address\":{\"street_address\":\"12 St James's Square\",\"locality\":\"London\",\"country\":\"GB\"},"
    "\"attributes\":{\"packages\":[\"engine\",\"notes\",\"bernoulli\"],\"theme\":\"dark\",\"level\":7}}";

static const char accented[] =
    "{\"handle\":\"jorg\",\"name\":\"J\xc3\xb6rg "
    "M\xc3\xbcller\",\"given_name\":\"J\xc3\xb6rg\",\"family_name\":\"M\xc3\xbcller\","
    "\"bio\":\"\xe5\xb1\xb1\xe7\x94\xb0 \xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd \xed\x95\x9c\xea\xb5\xad\"}";

static const char decomposed[] = "{\"handle\":\"jorg\",\"name\":\"Jo\xcc\x88rg Mu\xcc\x88ller\"}";

struct work {
    json_t *doc, *patch, *operations;
    struct span text;
    struct arena arena;
    struct buf out;
    struct profile profile;
};

static bool parse(struct work *w, json_t *doc)
{
    const struct profile_rules rules = {.id = SPAN("0192f0c1-7c1e-7000-8000-000000000001"),
                                        .replace = PROFILE_REPLACE_ALL,
                                        .view = PROFILE_VIEW_OWNER,
                                        .admin = true,
                                        .attributes_max = 16384};
    struct profile_faults faults;
    return profile_parse(doc, &rules, &w->arena, &w->profile, &faults) == OK;
}

static bool run_load(struct work *w)
{
    json_t *doc;
    if (json_load_strict(w->text, JSON_MAX_DEPTH, &doc, NULL) != OK)
        return false;
    json_decref(doc);
    return true;
}

static bool run_parse(struct work *w)
{
    arena_reset(&w->arena);
    return parse(w, w->doc);
}

static bool run_public(struct work *w)
{
    buf_clear(&w->out);
    profile_view_write(&w->profile, PROFILE_VIEW_PUBLIC, &w->out);
    return !w->out.failed;
}

static bool run_owner(struct work *w)
{
    buf_clear(&w->out);
    profile_view_write(&w->profile, PROFILE_VIEW_OWNER, &w->out);
    return !w->out.failed;
}

static bool run_tree(struct work *w)
{
    json_t *tree = profile_to_json(&w->profile);
    json_decref(tree);
    return tree != NULL;
}

static bool run_merge(struct work *w)
{
    json_t *out;
    if (profile_merge_patch(w->doc, w->patch, &out) != OK)
        return false;
    json_decref(out);
    return true;
}

static bool run_patch(struct work *w)
{
    json_t *out;
    if (profile_json_patch(w->doc, w->operations, &out, NULL) != OK)
        return false;
    json_decref(out);
    return true;
}

static void measure(const char *name, struct work *w, bool (*run)(struct work *))
{
    int64_t best = INT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = clock_monotonic_us();
        for (int i = 0; i < CALLS; i++)
            if (!run(w)) {
                fprintf(stderr, "%s failed\n", name);
                abort();
            }
        int64_t took = clock_monotonic_us() - start;
        best = took < best ? took : best;
    }
    printf("%-44s %7.2f µs\n", name, (double)best / CALLS);
}

static json_t *load(const char *text)
{
    json_t *doc;
    if (json_load_strict(span_str(text), JSON_MAX_DEPTH, &doc, NULL) != OK)
        abort();
    return doc;
}

static void measure_parse(const char *name, const char *text)
{
    struct work w = {.doc = load(text)};
    measure(name, &w, run_parse);
    json_decref(w.doc);
    arena_fini(&w.arena);
}

int main(void)
{
    struct work w = {.doc = load(typical), .text = span_str(typical)};
    w.patch = load("{\"nickname\":null,\"bio\":\"new\",\"attributes\":{\"theme\":\"light\",\"level\":null}}");
    w.operations = load("[{\"op\":\"test\",\"path\":\"/handle\",\"value\":\"ada_lovelace\"},"
                        "{\"op\":\"replace\",\"path\":\"/bio\",\"value\":\"new\"},"
                        "{\"op\":\"add\",\"path\":\"/attributes/packages/-\",\"value\":\"looms\"}]");
    measure("json_load_strict, 16 fields", &w, run_load);
    measure("profile_parse, 16 fields", &w, run_parse);
    measure("profile_view_write, public", &w, run_public);
    measure("profile_view_write, owner", &w, run_owner);
    measure("profile_to_json", &w, run_tree);
    measure("profile_merge_patch, 3 members", &w, run_merge);
    measure("profile_json_patch, 3 operations", &w, run_patch);
    measure_parse("profile_parse, 4 fields, not ASCII", accented);
    measure_parse("profile_parse, 1 field, to be composed", decomposed);
    json_decref(w.doc);
    json_decref(w.patch);
    json_decref(w.operations);
    buf_fini(&w.out);
    arena_fini(&w.arena);
    return 0;
}
