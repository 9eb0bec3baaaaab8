/*
 * The sole user of libgd, which is loaded by dlopen(3) and only in the child: its decoders bring along some
 * forty libraries, and workers are many.
 */
#pragma once
#include "base/buf.h"
#include "image/probe.h"

/* Loads libgd and finds what is needed of it. ERR_NOT_FOUND. */
MUST_USE enum err thumbnail_draw_load(void);
/*
 * Decodes the image and makes, for each of count sizes, ascending, a square of it: list gets their bytes (of
 * the heap). ERR_INVALID: it cannot be decoded, or unfolds into other than facts.
 */
struct thumbnail_drawn {
    void *bytes;
    int len;
};
MUST_USE enum err thumbnail_draw(struct span bytes, const struct image_facts *facts, const unsigned *sizes,
                                 int count, struct thumbnail_drawn *list);
