#include "guard/fence.h"

#include "base/clock.h"
#include "crypto/hash.h"

#include <stdatomic.h>

enum { WORDS = 1 << 16 };

static _Atomic int64_t words[WORDS];
static _Atomic int64_t everything;

/* Keys are the origin's, not an attacker's to choose at will, and a collision costs a fetch: no secret. */
static const unsigned char no_secret[CRYPTO_SIPHASH_KEY_LEN];

int64_t guard_fence_now(void)
{
    return clock_monotonic_us();
}

/* The next key of the list; absent when there is none. */
static struct span next_key(struct span *rest)
{
    struct span key = {NULL, 0};
    size_t start = 0, end;
    while (start < rest->len && (rest->ptr[start] == ' ' || rest->ptr[start] == ','))
        start++;
    for (end = start; end < rest->len && rest->ptr[end] != ' ' && rest->ptr[end] != ',';)
        end++;
    if (end > start)
        key = span_of(rest->ptr + start, end - start);
    *rest = span_from(*rest, end);
    return key;
}

static _Atomic int64_t *word_of(struct span key)
{
    return &words[crypto_siphash(no_secret, key) % WORDS];
}

/* Two purges of one key at once: the later moment stays. */
static void raise_to(_Atomic int64_t *word, int64_t now)
{
    int64_t old = atomic_load(word);
    while (old < now && !atomic_compare_exchange_weak(word, &old, now))
        ;
}

void guard_fence_purge(struct span keys)
{
    struct span rest = keys;
    int64_t now = guard_fence_now();
    for (struct span key = next_key(&rest); key.ptr != NULL; key = next_key(&rest))
        raise_to(word_of(key), now);
}

void guard_fence_purge_all(void)
{
    raise_to(&everything, guard_fence_now());
}

bool guard_fence_outdated(struct span keys, int64_t since)
{
    struct span rest = keys;
    if (atomic_load(&everything) >= since)
        return true;
    for (struct span key = next_key(&rest); key.ptr != NULL; key = next_key(&rest))
        if (atomic_load(word_of(key)) >= since)
            return true;
    return false;
}
