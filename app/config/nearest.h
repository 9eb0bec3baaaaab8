/*
 * What somebody may have meant who misspelt a name. Pure; allocates nothing.
 */
#pragma once
#include "base/span.h"

/* How many letters must be put in, taken out, changed or swapped with a neighbour to make b of a; 99 for
 * names that are too long to be compared. */
unsigned config_distance(struct span a, struct span b);

/* The nearest name so far. Zeroed to begin with. */
struct config_nearest {
    struct span name; /* absent: none is near enough */
    unsigned distance;
};
/* Considers one more name: taken when it is nearer than the last, and near enough to be a slip of the pen. */
void config_nearest_try(struct config_nearest *best, struct span wanted, struct span candidate);
