/*
 * One address for one answer: in the parameter `fields` the order of the names, and how often each stands
 * there, means nothing to the origin, and `id` goes without saying. A cache that goes by addresses is given
 * one of them. Pure.
 */
#pragma once
#include "base/span.h"

/*
 * Writes the address to out, which has room for url.len bytes, its names sorted and each there once; gives
 * its length, never more than url.len. What it does not know for sure to mean the same (another parameter, an
 * empty name, one that is escaped, but for "%2C") it leaves as it is: then it is another address, and the
 * origin judges it.
 */
size_t guard_address_write(struct span url, char *out);
