/*
 * The time, injected: whoever needs it is handed a clock, so that tests can hold it still. Unix time in
 * milliseconds for what is shown and compared with tokens; a monotonic one in microseconds for durations.
 */
#pragma once
#include <stdint.h>

struct clock {
    int64_t (*now_ms)(void *data); /* since 1970-01-01T00:00:00Z */
    void *data;
};

/* The system's clock. */
extern const struct clock clock_system;

static inline int64_t clock_now_ms(const struct clock *c)
{
    return c->now_ms(c->data);
}
static inline int64_t clock_now_s(const struct clock *c)
{
    return c->now_ms(c->data) / 1000;
}

/* Microseconds since some fixed moment, never going back; shared by all processes of the machine. */
int64_t clock_monotonic_us(void);
/* The same in nanoseconds. */
int64_t clock_monotonic_ns(void);
