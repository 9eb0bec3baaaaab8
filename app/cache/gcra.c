#include "cache/gcra.h"

#define NS_IN_A_S INT64_C(1000000000)
#define QUOTA_MAX INT64_C(1000000000)

struct cache_gcra cache_gcra_of(int64_t quota)
{
    const int64_t window_ns = CACHE_GCRA_WINDOW_S * NS_IN_A_S;
    if (quota <= 0)
        return (struct cache_gcra){0};
    if (quota > QUOTA_MAX)
        quota = QUOTA_MAX;
    int64_t interval_ns = (window_ns + quota - 1) / quota;
    return (struct cache_gcra){quota, interval_ns, quota * interval_ns};
}

/* How far ahead of now, from 0 to most. */
static int64_t ahead_of(int64_t now_ns, int64_t tat_ns, int64_t most)
{
    int64_t ahead;
    if (tat_ns <= now_ns)
        return 0;
    if (__builtin_sub_overflow(tat_ns, now_ns, &ahead) || ahead > most)
        return most;
    return ahead;
}

struct cache_gcra_verdict cache_gcra_ask(const struct cache_gcra *g, int64_t now_ns, int64_t tat_ns)
{
    struct cache_gcra_verdict v = {.allowed = true, .tat_ns = tat_ns};
    if (g->quota == 0)
        return v;
    int64_t ahead = ahead_of(now_ns, tat_ns, g->span_ns), next = ahead + g->interval_ns;
    v.allowed = next <= g->span_ns;
    if (v.allowed) {
        ahead = next;
        if (__builtin_add_overflow(now_ns, ahead, &v.tat_ns))
            v.tat_ns = INT64_MAX;
    } else {
        v.retry_ns = next - g->span_ns;
    }
    v.remaining = (g->span_ns - ahead) / g->interval_ns;
    v.reset_ns = ahead;
    return v;
}
