#include "cache/memory.h"

#include "crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the parts lie; all of them on pages. */
struct plan {
    size_t words_at, flights_at, rates_at, responses_at, responses_bytes, verdicts_at, verdicts_bytes, bytes;
};

static size_t on_page(size_t n)
{
    return (n + 4095) / 4096 * 4096;
}

static size_t table_bytes(size_t asked)
{
    if (asked == 0)
        return 0;
    return on_page(asked < CACHE_TABLE_MIN_BYTES ? CACHE_TABLE_MIN_BYTES : asked);
}

static struct plan make_plan(const struct cache_memory_options *options)
{
    struct plan p = {.words_at = CACHE_HEADER_SIZE};
    p.flights_at = p.words_at + CACHE_WORDS * sizeof(uint64_t);
    p.rates_at = p.flights_at + on_page(CACHE_FLIGHTS * sizeof(struct cache_lock));
    p.responses_at = p.rates_at + on_page(sizeof(struct cache_rates));
    p.responses_bytes = table_bytes(options->responses);
    p.verdicts_at = p.responses_at + p.responses_bytes;
    p.verdicts_bytes = table_bytes(options->verdicts);
    p.bytes = p.verdicts_at + p.verdicts_bytes;
    return p;
}

static enum err map(int fd, const struct plan *p, struct cache_memory *out, struct err_detail *detail)
{
    char *at = mmap(NULL, p->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return err_set(detail, ERR_NOMEM, "cannot map %zu bytes for the cache: %s", p->bytes,
                       strerror(errno));
    /* neither a core nor a debugger's look at one need show what people keep private */
    madvise(at, p->bytes, MADV_DONTDUMP);
    *out = (struct cache_memory){
        .fd = -1,
        .header = (struct cache_header *)(void *)at,
        .bytes = p->bytes,
        .words = (_Atomic uint64_t *)(void *)(at + p->words_at),
        .flights = (struct cache_lock *)(void *)(at + p->flights_at),
        .rates = (struct cache_rates *)(void *)(at + p->rates_at),
    };
    return OK;
}

static enum err attach_tables(const struct plan *p, struct cache_memory *m, struct err_detail *detail)
{
    char *at = (char *)m->header;
    enum err e = OK;
    m->has_responses = p->responses_bytes > 0;
    m->has_verdicts = p->verdicts_bytes > 0;
    if (m->has_responses)
        e = cache_table_attach(&m->responses, at + p->responses_at, p->responses_bytes, detail);
    if (e == OK && m->has_verdicts)
        e = cache_table_attach(&m->verdicts, at + p->verdicts_at, p->verdicts_bytes, detail);
    return e;
}

static enum err format(const struct cache_memory_options *options, const struct plan *p,
                       struct cache_memory *m, struct err_detail *detail)
{
    enum { VERDICT_TYPICAL_LEN = 224 };
    const struct cache_table_options responses = {.bytes = p->responses_bytes};
    const struct cache_table_options verdicts = {.bytes = p->verdicts_bytes,
                                                 .typical_len = VERDICT_TYPICAL_LEN};
    struct cache_header *h = m->header;
    enum err e = OK;
    h->version = CACHE_MEMORY_VERSION;
    h->header_size = sizeof *h;
    h->bytes = p->bytes;
    h->fingerprint = options->fingerprint;
    h->responses_at = p->responses_at;
    h->responses_bytes = p->responses_bytes;
    h->verdicts_at = p->verdicts_at;
    h->verdicts_bytes = p->verdicts_bytes;
    crypto_random(h->hash_key, sizeof h->hash_key);
    crypto_random(h->token_key, sizeof h->token_key);
    if ((e = cache_coherence_init(&h->coherence)) != OK)
        return e;
    for (size_t i = 0; i < CACHE_FLIGHTS; i++)
        if ((e = cache_lock_init(&m->flights[i])) != OK)
            return e;
    if ((e = cache_rates_format(m->rates)) != OK)
        return e;
    if (p->responses_bytes > 0)
        e = cache_table_format((char *)h + p->responses_at, &responses, detail);
    if (e == OK && p->verdicts_bytes > 0)
        e = cache_table_format((char *)h + p->verdicts_at, &verdicts, detail);
    /* last: what has it is whole */
    memcpy(h->magic, CACHE_MEMORY_MAGIC, sizeof h->magic);
    return e;
}

/* To be asked before: who reserves more than there is, is killed for it. */
static bool is_in_the_machine(size_t bytes)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages < 0 || page < 0 || bytes / (size_t)page < (size_t)pages;
}

enum err cache_memory_create(const struct cache_memory_options *options, struct cache_memory *out,
                             struct err_detail *detail)
{
    struct plan p = make_plan(options);
    enum err e;
    *out = (struct cache_memory){.fd = -1};
    if (options->responses == 0 && options->verdicts == 0 && !options->rates)
        return OK;
    int fd = memfd_create("profiled-cache", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)p.bytes) != 0) {
        e = err_set(detail, ERR_NOMEM, "cannot make %zu bytes of memory for the cache: %s", p.bytes,
                    strerror(errno));
        goto failed;
    }
    int why = 0;
    if (options->reserve)
        why = is_in_the_machine(p.bytes) ? posix_fallocate(fd, 0, (off_t)p.bytes) : ENOMEM;
    if (why != 0) {
        e = err_set(detail, ERR_NOMEM,
                    "cannot reserve %zu bytes of memory for the cache: %s (lower cache.size)", p.bytes,
                    strerror(why));
        goto failed;
    }
    if ((e = map(fd, &p, out, detail)) == OK && (e = format(options, &p, out, detail)) == OK &&
        (e = attach_tables(&p, out, detail)) == OK) {
        out->fd = fd;
        return OK;
    }
failed:
    cache_memory_close(out);
    if (fd >= 0)
        close(fd);
    return e;
}

static bool is_made_so(const struct cache_header *h, const struct cache_memory_options *options,
                       const struct plan *p)
{
    return memcmp(h->magic, CACHE_MEMORY_MAGIC, sizeof h->magic) == 0 && h->version == CACHE_MEMORY_VERSION &&
           h->header_size == sizeof *h && h->bytes == p->bytes && h->fingerprint == options->fingerprint &&
           h->responses_at == p->responses_at && h->responses_bytes == p->responses_bytes &&
           h->verdicts_at == p->verdicts_at && h->verdicts_bytes == p->verdicts_bytes;
}

enum err cache_memory_adopt(int fd, const struct cache_memory_options *options, struct cache_memory *out,
                            struct err_detail *detail)
{
    struct plan p = make_plan(options);
    struct stat st;
    enum err e;
    *out = (struct cache_memory){.fd = -1};
    /* a shorter one would crash who reads it */
    if (fstat(fd, &st) != 0 || st.st_size != (off_t)p.bytes)
        return err_set(detail, ERR_INVALID, "the cache's memory has another size");
    if ((e = map(fd, &p, out, detail)) != OK)
        return e;
    if (!is_made_so(out->header, options, &p))
        e = err_set(detail, ERR_INVALID, "the cache's memory was made under other settings");
    if (e == OK)
        e = attach_tables(&p, out, detail);
    if (e == OK)
        out->fd = fd;
    else
        cache_memory_close(out);
    return e;
}

void cache_memory_carry_rates(int fd, struct cache_memory *to)
{
    /* what lies before the tables is alike in all memories of one version */
    const struct plan p = make_plan(&(struct cache_memory_options){0});
    struct err_detail ignored = {0};
    struct cache_memory from;
    struct stat st;
    if (to->header == NULL || fstat(fd, &st) != 0 || st.st_size < (off_t)p.bytes ||
        map(fd, &p, &from, &ignored) != OK)
        return;
    if (memcmp(from.header->magic, CACHE_MEMORY_MAGIC, sizeof from.header->magic) == 0 &&
        from.header->version == CACHE_MEMORY_VERSION && from.header->header_size == sizeof *from.header)
        cache_rates_carry(to->rates, from.rates);
    munmap(from.header, from.bytes);
}

void cache_memory_close(struct cache_memory *m)
{
    if (m->header != NULL)
        munmap(m->header, m->bytes);
    if (m->fd >= 0)
        close(m->fd);
    *m = (struct cache_memory){.fd = -1};
}
