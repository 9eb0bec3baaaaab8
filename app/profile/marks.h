/* The order of combining marks (Unicode section 3.11, canonical ordering). Pure. */
#pragma once
#include "base/arena.h"

/*
 * Sorts each run of combining marks by combining class, marks of one class staying in their order: the
 * outcome is canonically equivalent to s. To be done before utf8proc normalises a long run, as it sorts runs
 * itself in quadratic time, and in linear time what is sorted. s is UTF-8 of at most 2^24 characters; absent
 * when memory is out.
 */
struct span profile_marks_sort(struct span s, struct arena *arena);
