#include "config/nearest.h"

enum { LONGEST = 40, FAR = 99 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, one row at a time; a swap of neighbours looks two rows back. */
unsigned config_distance(struct span a, struct span b)
{
    unsigned rows[3][LONGEST + 1];
    if (a.len > LONGEST || b.len > LONGEST)
        return FAR;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned change = above[j - 1] + (a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1);
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1])
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

void config_nearest_try(struct config_nearest *best, struct span wanted, struct span candidate)
{
    unsigned distance = config_distance(wanted, candidate);
    size_t longer = wanted.len > candidate.len ? wanted.len : candidate.len;
    /* a third of the letters wrong is another word, not a slip */
    if (distance * 3 > longer + 1)
        return;
    if (best->name.ptr == NULL || distance < best->distance)
        *best = (struct config_nearest){candidate, distance};
}
