/* The text that one image of the supervisor hands to the next. */
#include "pool/handover.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

static const char *const refused[] = {
    "",
    " ",
    "1",
    "1 ",
    "1 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 children=",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=-1 children=",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory= children=",
    "03 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 ",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children",
    "3 pid= generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=",
    "3 pid=-1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=",
    "3 pid=2147483648 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=",
    "3 pid=1 generation=4294967296 listen=3 activated=0 changes=0 board=4 memory=0 children=",
    "3 pid=1 generation=1 listen=-3 activated=0 changes=0 board=4 memory=0 children=",
    "3 pid=1 generation=1 listen=99999999999999999999 activated=0 changes=0 board=4 memory=0 children=",
    "3 pid=1 generation=1 listen=3 activated=2 changes=0 board=4 memory=0 children=",
    "3 pid=1 generation=1 listen=3 activated=yes changes=0 board=4 memory=0 children=",
    "3 pid=1 listen=3 generation=1 activated=0 changes=0 board=4 memory=0 children=",
    "3 pid=1  generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=5",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=5:",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=:1",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=0:1",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=-5:1",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=5:1,",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=,5:1",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=5:1:2",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=5:2048",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=5:1,6:1",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=5:1 6:2",
    "3 pid=1 generation=1 listen=3 activated=0 changes=0 board=4 memory=0 children=5:1 ",
    "3 pid=1 generation=1 listen=3 activated=0 changes=-1 board=4 memory=0 children=",
    "3 pid=1 generation=1 listen=3 activated=0 board=4 memory=0 children=",
    "2 pid=1 generation=1 listen=3 activated=0 changes=5 board=4 memory=0 children=",
};

/* A reload from a program that knows no changes process. */
static void the_form_before_is_taken(void **state)
{
    (void)state;
    struct handover h;
    assert_int_equal(
        handover_read(SPAN("2 pid=7 generation=4 listen=3 activated=1 board=5 memory=6 children=8:1"), &h),
        OK);
    assert_int_equal(h.pid, 7);
    assert_int_equal(h.listen_fd, 3);
    assert_int_equal(h.changes_fd, -1);
    assert_int_equal(h.board_fd, 5);
    assert_int_equal(h.memory_fd, 6);
    assert_int_equal(h.child_count, 1);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct handover h;
        if (handover_read(span_str(refused[i]), &h) != ERR_INVALID)
            fail_msg("`%s` is taken", refused[i]);
    }
}

static void there_and_back(void **state)
{
    (void)state;
    static struct handover out = {.pid = 4711,
                                  .generation = 4294967295u,
                                  .listen_fd = 5,
                                  .activated = true,
                                  .changes_fd = 7,
                                  .board_fd = 9,
                                  .memory_fd = -1};
    static struct handover in;
    struct buf text = {0};
    handover_write(&out, &text);
    assert_string_equal(
        buf_text(&text),
        "3 pid=4711 generation=4294967295 listen=5 activated=1 changes=7 board=9 memory=0 children=");
    assert_int_equal(handover_read(buf_span(&text), &in), OK);
    assert_int_equal(in.child_count, 0);
    assert_true(in.activated);
    assert_int_equal(in.memory_fd, -1);

    /* as many as there can be */
    for (unsigned i = 0; i < SCOREBOARD_SLOTS; i++)
        out.children[i] = (struct handover_child){2147483647 - (pid_t)i, SCOREBOARD_SLOTS - 1 - i};
    out.child_count = SCOREBOARD_SLOTS;
    out.activated = false;
    out.memory_fd = 12;
    out.changes_fd = -1;
    buf_clear(&text);
    handover_write(&out, &text);
    assert_int_equal(handover_read(buf_span(&text), &in), OK);
    assert_int_equal(in.pid, 4711);
    assert_int_equal(in.generation, 4294967295u);
    assert_int_equal(in.listen_fd, 5);
    assert_int_equal(in.board_fd, 9);
    assert_int_equal(in.changes_fd, -1);
    assert_int_equal(in.memory_fd, 12);
    assert_false(in.activated);
    assert_int_equal(in.child_count, SCOREBOARD_SLOTS);
    for (unsigned i = 0; i < SCOREBOARD_SLOTS; i++) {
        assert_int_equal(in.children[i].pid, out.children[i].pid);
        assert_int_equal(in.children[i].place, out.children[i].place);
    }
    /* a variable longer than this could not be passed to execve */
    assert_true(text.len < 128 * 1024 - 64);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(the_form_before_is_taken),
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
