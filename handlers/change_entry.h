/* The form of an entry of the change log, in the feed and in an export: seq, id, what, at, and the handles
 * where there are. */
#pragma once
#include "base/buf.h"
#include "store/watch.h"

void handlers_change_write(struct buf *out, const struct store_change *change);
