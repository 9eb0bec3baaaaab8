/*
 * The generic cell rate algorithm (ITU-T I.371, as a "virtual scheduling algorithm"): a rate kept by one number for
 * each who asks, the theoretical arrival time (TAT), up to which what was granted so far would take at an even pace.
 * A request moves it on by one interval, and is granted where it then is no further ahead of now than the whole
 * quota takes. So a quota may be used up at once, and comes back bit by bit, one request each interval; there is no
 * edge between two windows at which it could be had twice.
 *
 * Times are nanoseconds of one clock, which ought to go forwards. Pure.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define CACHE_GCRA_WINDOW_S 60

struct cache_gcra {
    int64_t quota;       /* requests in a window; 0: there is no limit */
    int64_t interval_ns; /* between two at an even pace, rounded up */
    int64_t span_ns;     /* what the whole quota takes: quota * interval_ns */
};

/* For a quota of 0 to 1,000,000,000; others are cut to that. */
struct cache_gcra cache_gcra_of(int64_t quota);

struct cache_gcra_verdict {
    bool allowed;
    int64_t tat_ns;    /* from now on; as it was, when it is not allowed */
    int64_t remaining; /* requests that would be allowed just now */
    int64_t reset_ns;  /* until the whole quota is there again */
    int64_t retry_ns;  /* until one is allowed; 0: it was */
};

/*
 * One more request. tat_ns: 0 for who never asked. One that lies further ahead than any quota takes (the clock
 * went back, or the rate was another one) counts as a quota that is just used up: nobody waits for longer than
 * a window. With a quota of 0 everything is allowed, and nothing changes.
 */
struct cache_gcra_verdict cache_gcra_ask(const struct cache_gcra *g, int64_t now_ns, int64_t tat_ns);
