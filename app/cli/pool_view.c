#include "cli/pool_view.h"

#include "json/write.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* One worker: what its state means to who looks on. */
static const char *state_of(uint32_t state, bool busy)
{
    if (state == CHILD_READY)
        return busy ? "busy" : "idle";
    return child_state_name((enum child_state)state);
}

static void read_worker(const struct scoreboard_slot *slot, size_t place, int64_t now_us,
                        struct pool_view *out)
{
    int64_t since_us = atomic_load_explicit(&slot->busy_since_us, memory_order_relaxed);
    struct pool_view_worker *w = &out->workers[out->count++];
    *w = (struct pool_view_worker){
        .place = place,
        .pid = atomic_load(&slot->pid),
        .state = state_of(atomic_load(&slot->state), since_us != 0),
        .generation = atomic_load(&slot->generation),
        .started_ms = atomic_load(&slot->started_ms),
        .requests = atomic_load(&slot->requests),
        .busy_us = since_us == 0       ? 0
                   : now_us > since_us ? now_us - since_us
                                       : 1,
        .restarts = atomic_load(&slot->restarts),
    };
    out->busy += w->busy_us > 0 ? 1 : 0;
    out->requests += w->requests;
}

void pool_view_read(const struct scoreboard *board, int64_t now_ms, int64_t now_us, struct pool_view *out)
{
    const struct scoreboard_header *header = board->header;
    out->now_ms = now_ms;
    out->pid = atomic_load(&header->pid);
    out->state = pool_state_name((enum pool_state)atomic_load(&header->state));
    out->generation = atomic_load(&header->generation);
    out->wanted = atomic_load(&header->workers);
    out->started_ms = atomic_load(&header->started_ms);
    out->reloaded_ms = atomic_load(&header->reloaded_ms);
    out->requests = atomic_load(&header->requests);
    out->deaths = atomic_load(&header->deaths);
    out->timeouts = atomic_load(&header->timeouts);
    out->recycled = atomic_load(&header->recycled);
    out->reloads = atomic_load(&header->reloads);
    out->reloads_refused = atomic_load(&header->reloads_refused);
    memcpy(out->listen, header->listen, sizeof out->listen);
    out->listen[sizeof out->listen - 1] = '\0';
    out->busy = out->count = 0;
    for (size_t i = 0; i < SCOREBOARD_SLOTS; i++)
        if (atomic_load(&board->slots[i].pid) != 0)
            read_worker(&board->slots[i], i, now_us, out);
}

/* The two largest units of a time: "7s", "3m12s", "2h03m", "4d07h". */
static const char *show_span(char out[32], int64_t ms)
{
    long long s = ms > 0 ? ms / 1000 : 0;
    if (s < 60)
        snprintf(out, 32, "%llds", s);
    else if (s < 3600)
        snprintf(out, 32, "%lldm%02llds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, 32, "%lldh%02lldm", s / 3600, s / 60 % 60);
    else
        snprintf(out, 32, "%lldd%02lldh", s / 86400, s / 3600 % 24);
    return out;
}

static const char *show_busy(char out[32], int64_t us)
{
    if (us == 0)
        return "-";
    if (us < 1000000)
        snprintf(out, 32, "%lldms", (long long)us / 1000);
    else
        snprintf(out, 32, "%lld.%llds", (long long)us / 1000000, (long long)us / 100000 % 10);
    return out;
}

static void write_rate(const struct pool_view *view, const struct pool_view *before, struct buf *out)
{
    int64_t ms = before == NULL ? 0 : view->now_ms - before->now_ms;
    /* another pool may have taken its place meanwhile */
    if (ms <= 0 || before->pid != view->pid || view->requests < before->requests)
        return;
    buf_printf(out, ", %.0f a second", (double)(view->requests - before->requests) * 1000.0 / (double)ms);
}

void pool_view_write_text(const struct pool_view *view, const struct pool_view *before, struct buf *out)
{
    char up[32], busy[32];
    buf_printf(out, "%s for %s, pid %ld, generation %u, on %s\n", view->state,
               show_span(up, view->now_ms - view->started_ms), (long)view->pid, view->generation,
               view->listen);
    buf_printf(out, "workers   %zu, of which busy %zu; wanted %u\n", view->count, view->busy, view->wanted);
    buf_printf(out, "requests  %" PRIu64, view->requests);
    write_rate(view, before, out);
    buf_printf(out,
               "\nreplaced  %" PRIu64 " died, of which %" PRIu64 " took too long; %" PRIu64 " recycled\n",
               view->deaths, view->timeouts, view->recycled);
    buf_printf(out, "reloads   %" PRIu64 ", refused %" PRIu64 "\n\n", view->reloads, view->reloads_refused);
    buf_printf(out, "%5s %8s %-9s %4s %8s %12s %8s %8s\n", "PLACE", "PID", "STATE", "GEN", "UP", "REQUESTS",
               "BUSY", "RESTARTS");
    for (size_t i = 0; i < view->count; i++) {
        const struct pool_view_worker *w = &view->workers[i];
        buf_printf(out, "%5zu %8ld %-9s %4u %8s %12" PRIu64 " %8s %8u\n", w->place, (long)w->pid, w->state,
                   w->generation, show_span(up, view->now_ms - w->started_ms), w->requests,
                   show_busy(busy, w->busy_us), w->restarts);
    }
}

/* A quoted time: RFC 3339, UTC. */
static void write_time(struct buf *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char text[32];
    gmtime_r(&seconds, &utc);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(out, "\"%.*s.%03dZ\"", (int)n, text, (int)(ms % 1000));
}

static void write_member(struct buf *out, const char *name, uint64_t value)
{
    buf_printf(out, ",\"%s\":%" PRIu64, name, value);
}

void pool_view_write_json(const struct pool_view *view, struct buf *out)
{
    buf_printf(out, "{\"state\":\"%s\",\"pid\":%ld,\"listen\":", view->state, (long)view->pid);
    json_write_string(out, span_str(view->listen));
    buf_lit(out, ",\"started_at\":");
    write_time(out, view->started_ms);
    buf_lit(out, ",\"reloaded_at\":");
    write_time(out, view->reloaded_ms);
    write_member(out, "generation", view->generation);
    write_member(out, "workers_wanted", view->wanted);
    write_member(out, "workers_busy", view->busy);
    write_member(out, "requests", view->requests);
    write_member(out, "deaths", view->deaths);
    write_member(out, "timeouts", view->timeouts);
    write_member(out, "recycled", view->recycled);
    write_member(out, "reloads", view->reloads);
    write_member(out, "reloads_refused", view->reloads_refused);
    buf_lit(out, ",\"workers\":[");
    for (size_t i = 0; i < view->count; i++) {
        const struct pool_view_worker *w = &view->workers[i];
        buf_printf(out, "%s{\"place\":%zu,\"pid\":%ld,\"state\":\"%s\",\"started_at\":", i == 0 ? "" : ",",
                   w->place, (long)w->pid, w->state);
        write_time(out, w->started_ms);
        write_member(out, "generation", w->generation);
        write_member(out, "requests", w->requests);
        write_member(out, "busy_ms", (uint64_t)w->busy_us / 1000);
        write_member(out, "restarts", w->restarts);
        buf_char(out, '}');
    }
    buf_lit(out, "]}\n");
}
