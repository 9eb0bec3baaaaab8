#include "pool/pool.h"

#include "pool/handover.h"
#include "pool/supervisor.h"

#include <stdlib.h>
#include <unistd.h>

enum err pool_serve(const struct pool_options *options, const struct pool_worker_program *program,
                    struct log *log, struct err_detail *detail)
{
    struct supervisor s;
    if (pool_only_checks())
        return program->preflight == NULL ? OK : program->preflight(program->data, detail);
    enum err e = supervisor_init(&s, options, program, log, detail);
    if (e == OK)
        e = supervisor_run(&s);
    supervisor_fini(&s);
    return e;
}

bool pool_only_checks(void)
{
    return getenv(POOL_CHECK_VARIABLE) != NULL;
}

int pool_handed_memory(void)
{
    const char *handed = getenv(POOL_HANDOVER_VARIABLE);
    struct handover h;
    bool ours = handed != NULL && handover_read(span_str(handed), &h) == OK && h.pid == getpid();
    return ours ? h.memory_fd : -1;
}

void pool_status_path(const struct config_settings *settings, struct buf *out)
{
    struct span listen = span_str(config_text(settings, CONFIG_server_listen));
    struct span url = span_str(config_text(settings, CONFIG_store_url));
    if (span_starts(listen, SPAN("unix:")))
        buf_append(out, span_from(listen, strlen("unix:")));
    else
        buf_append(out, span_from(url, strlen("sqlite:")));
    buf_lit(out, ".status");
}

struct range {
    unsigned first, last;
};

enum { KEPT_MAX = 4 };

static int by_number(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* What must stay open, in order; returns how many ranges. */
static size_t find_kept(struct range kept[KEPT_MAX])
{
    enum { FIRST_PASSED = 3 }; /* SD_LISTEN_FDS_START */
    const char *handed = getenv(POOL_HANDOVER_VARIABLE), *pid = getenv("LISTEN_PID"),
               *count = getenv("LISTEN_FDS");
    struct handover h;
    uint64_t number;
    if (handed != NULL && handover_read(span_str(handed), &h) == OK && h.pid == getpid()) {
        const int fds[KEPT_MAX] = {h.listen_fd, h.changes_fd, h.board_fd, h.memory_fd};
        size_t found = 0;
        for (size_t i = 0; i < KEPT_MAX; i++)
            if (fds[i] >= 0)
                kept[found++] = (struct range){(unsigned)fds[i], (unsigned)fds[i]};
        qsort(kept, found, sizeof kept[0], by_number);
        return found;
    }
    if (pid != NULL && count != NULL && span_to_u64(span_str(pid), INT32_MAX, &number) &&
        (pid_t)number == getpid() && span_to_u64(span_str(count), 1024, &number) && number > 0) {
        kept[0] = (struct range){FIRST_PASSED, FIRST_PASSED + (unsigned)number - 1};
        return 1;
    }
    return 0;
}

void pool_close_inherited(void)
{
    struct range kept[KEPT_MAX];
    size_t count = find_kept(kept);
    unsigned from = STDERR_FILENO + 1;
    for (size_t i = 0; i < count; i++) {
        if (kept[i].first > from)
            close_range(from, kept[i].first - 1, 0);
        if (kept[i].last >= from)
            from = kept[i].last + 1;
    }
    close_range(from, ~0U, 0);
}
