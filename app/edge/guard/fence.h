/*
 * Keeps an answer that was fetched before a purge from being kept after it: a purge finds only what is in the
 * cache already, and an answer may be under way. Each fetch bears the moment it began; each purge leaves its
 * moment with the keys it names. An answer is outdated when one of its keys was purged at or after the moment
 * its fetch began. So many words of memory for all keys: two keys that share one cost a needless fetch now
 * and then, never an old answer.
 *
 * One table for the whole process, whatever VCL is in use, for the cache outlives VCLs. Lock-free: a purge
 * stores before it is confirmed, and a reader that begins after that sees it.
 */
#pragma once
#include "base/span.h"

/* The moment, for a fetch that is about to begin. */
int64_t guard_fence_now(void);
/* The keys, separated by spaces or commas, are purged now. */
void guard_fence_purge(struct span keys);
/* Every key is. */
void guard_fence_purge_all(void);
/* Whether an answer under these keys, fetched from that moment on, is outdated. */
bool guard_fence_outdated(struct span keys, int64_t since);
