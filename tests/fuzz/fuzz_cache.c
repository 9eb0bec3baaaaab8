/* A block of shared memory that another program may have written: refused, or looked into without a step
 * beyond it. */
#include "support_fuzz.h"

#include "cache/table.h"
#include "crypto/hash.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char value[CACHE_TABLE_RECORD_MAX];
    static const unsigned char secret[CRYPTO_SIPHASH_KEY_LEN] = {0};
    const struct cache_table_options options = {.bytes = CACHE_TABLE_MIN_BYTES};
    const struct span key = SPAN("key"), text = SPAN("a value that tells by itself whether it is whole");
    uint64_t hash = crypto_siphash(secret, key);
    struct cache_table table;
    struct err_detail detail = {0};
    size_t len;
    char *block = aligned_alloc(CACHE_TABLE_ALIGN, CACHE_TABLE_MIN_BYTES);
    if (block == NULL || cache_table_format(block, &options, &detail) != OK ||
        cache_table_attach(&table, block, CACHE_TABLE_MIN_BYTES, &detail) != OK ||
        cache_table_put(&table, hash, key, text, 0, NULL) != OK)
        abort();
    /* pairs of place and byte are written over it, but for the lock: nobody forges that of a table in use */
    for (size_t i = 0; i + 3 <= size; i += 3) {
        size_t at = (size_t)(data[i] << 8 | data[i + 1]) % CACHE_TABLE_MIN_BYTES;
        if (at >= 1024)
            block[at] = (char)data[i + 2];
    }
    struct cache_table again;
    if (cache_table_attach(&again, block, CACHE_TABLE_MIN_BYTES, &detail) == OK) {
        (void)!cache_table_get(&again, hash, key, value, sizeof value, &len);
        for (int i = 0; i < 20; i++)
            (void)!cache_table_put(&again, hash + (uint64_t)i, key, span_of(value, 4000), 0, NULL);
        (void)!cache_table_get(&again, hash, key, value, sizeof value, &len);
    }
    free(block);
    return 0;
}
