/* What a child's state may become, and the pause before a dead one is replaced. */
#include "pool/child.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

/* Every pair: the state that it leads to, or the count for "cannot happen". */
static const enum child_state expected[CHILD_STATE_COUNT][CHILD_EVENT_COUNT] = {
    /*                  SPAWNED            STARTED            TOLD               KILL               REAPED */
    [CHILD_EMPTY] = {CHILD_STARTING, CHILD_STATE_COUNT, CHILD_STATE_COUNT, CHILD_STATE_COUNT,
                     CHILD_STATE_COUNT},
    [CHILD_STARTING] = {CHILD_STATE_COUNT, CHILD_READY, CHILD_DRAINING, CHILD_KILLED, CHILD_EMPTY},
    [CHILD_READY] = {CHILD_STATE_COUNT, CHILD_STATE_COUNT, CHILD_DRAINING, CHILD_KILLED, CHILD_EMPTY},
    [CHILD_DRAINING] = {CHILD_STATE_COUNT, CHILD_STATE_COUNT, CHILD_STATE_COUNT, CHILD_KILLED, CHILD_EMPTY},
    [CHILD_KILLED] = {CHILD_STATE_COUNT, CHILD_STATE_COUNT, CHILD_STATE_COUNT, CHILD_STATE_COUNT,
                      CHILD_EMPTY},
};

static void every_transition(void **state)
{
    (void)state;
    for (int from = 0; from < CHILD_STATE_COUNT; from++) {
        for (int event = 0; event < CHILD_EVENT_COUNT; event++) {
            enum child_state s = (enum child_state)from;
            bool moved = child_apply(&s, (enum child_event)event);
            enum child_state to = expected[from][event];
            if (moved != (to != CHILD_STATE_COUNT) || s != (moved ? to : (enum child_state)from))
                fail_msg("%s, event %d: %s", child_state_name((enum child_state)from), event,
                         child_state_name(s));
        }
    }
}

static void what_is_none(void **state)
{
    (void)state;
    enum child_state s = CHILD_STATE_COUNT;
    assert_false(child_apply(&s, CHILD_REAPED));
    assert_int_equal(s, CHILD_STATE_COUNT);
    s = CHILD_EMPTY;
    assert_false(child_apply(&s, CHILD_EVENT_COUNT));
    assert_string_equal(child_state_name(CHILD_STATE_COUNT), "unknown");
}

static void pauses(void **state)
{
    (void)state;
    static const struct {
        unsigned early_deaths;
        int64_t pause_ms;
    } cases[] = {
        {0, 0},
        {1, 0},
        {2, 100},
        {3, 200},
        {4, 400},
        {5, 800},
        {6, 1600},
        {7, 3200},
        {8, 6400},
        {9, 10000},
        {10, 10000},
        {100, 10000},
        {4294967295u, 10000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (child_pause_ms(cases[i].early_deaths) != cases[i].pause_ms)
            fail_msg("%u: %lld", cases[i].early_deaths, (long long)child_pause_ms(cases[i].early_deaths));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transition),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
