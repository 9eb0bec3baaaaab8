#include "cli/import_reader.h"

#include "base/clock.h"
#include "cli/profile_line.h"

#include <errno.h>
#include <stdlib.h>

enum { LINE_MAX_BYTES = 1 << 20 };

static void read_line(struct import_reader *r, struct import_batch *b, struct span line, uint64_t number)
{
    struct import_item *item = &b->items[b->count];
    struct buf reason = {0};
    *item = (struct import_item){.line = number};
    if (line.len > LINE_MAX_BYTES) {
        item->refused = SPAN("the line has more than 1 MiB");
    } else if (cli_profile_read(line, clock_now_ms(&clock_system), r->attributes_max, r->base_url, &b->arena,
                                &item->profile, &reason) != OK) {
        item->refused = arena_copy(&b->arena, buf_span(&reason));
        if (item->refused.ptr == NULL)
            item->refused = SPAN("no memory");
    }
    buf_fini(&reason);
    b->count++;
}

/* The batch whose turn it is, once the writer has given it back. */
static struct import_batch *next_empty(struct import_reader *r)
{
    pthread_mutex_lock(&r->mutex);
    while (r->filled - r->taken == IMPORT_BATCHES)
        pthread_cond_wait(&r->changed, &r->mutex);
    pthread_mutex_unlock(&r->mutex);
    struct import_batch *b = &r->batches[r->filled % IMPORT_BATCHES];
    arena_reset(&b->arena);
    b->count = 0;
    return b;
}

static void hand_over(struct import_reader *r)
{
    pthread_mutex_lock(&r->mutex);
    r->filled++;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->mutex);
}

static void *run(void *data)
{
    struct import_reader *r = data;
    struct import_batch *b = next_empty(r);
    char *text = NULL;
    size_t size = 0;
    uint64_t number = 0, bytes = 0;
    ssize_t n;
    while (*r->interrupted == 0 && (n = getline(&text, &size, r->in)) >= 0) {
        size_t len = (size_t)n;
        number++;
        bytes += len;
        while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
            len--;
        if (span_trim(span_of(text, len)).len > 0)
            read_line(r, b, span_of(text, len), number);
        b->bytes = bytes;
        if (b->count == IMPORT_BATCH_ITEMS) {
            hand_over(r);
            b = next_empty(r);
        }
    }
    if (ferror(r->in) && *r->interrupted == 0)
        b->err = err_set(&b->detail, ERR_IO, "reading failed: %s", strerror(errno));
    b->last = true;
    free(text);
    hand_over(r);
    return NULL;
}

enum err import_reader_init(struct import_reader *r, FILE *in, size_t attributes_max, struct span base_url,
                            const volatile int *interrupted, struct err_detail *detail)
{
    *r = (struct import_reader){
        .in = in, .attributes_max = attributes_max, .base_url = base_url, .interrupted = interrupted};
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->changed, NULL);
    if (pthread_create(&r->thread, NULL, run, r) != 0)
        return err_set(detail, ERR_NOMEM, "cannot start a thread");
    return OK;
}

struct import_batch *import_reader_take(struct import_reader *r)
{
    pthread_mutex_lock(&r->mutex);
    while (r->filled == r->taken)
        pthread_cond_wait(&r->changed, &r->mutex);
    pthread_mutex_unlock(&r->mutex);
    return &r->batches[r->taken % IMPORT_BATCHES];
}

void import_reader_give_back(struct import_reader *r)
{
    pthread_mutex_lock(&r->mutex);
    r->taken++;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->mutex);
}

void import_reader_fini(struct import_reader *r)
{
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->mutex);
    for (size_t i = 0; i < IMPORT_BATCHES; i++)
        arena_fini(&r->batches[i].arena);
}
