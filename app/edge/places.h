/*
 * How far each cache in front was told, kept over the ends of processes: a small file beside the database,
 *
 *     profiled-edge 1
 *     http://127.0.0.1:6083 f00dcafe… 4711 0badc0de…
 *
 * an address, the lineage, the place and the entry of edge/peer.h a line (numbers in hex but for the place),
 * written anew and synced each time, so that a reader finds the old one or the new one. A file and no table:
 * a table's write would be a commit, which every cache of the pool would have to look at, under the writers'
 * lock and once for each purge; and a backup would carry places of another life.
 *
 * A place in the file is never ahead of what was confirmed, and may be behind: then a little is said twice.
 * What cannot be read is as good as nothing: everything is purged once.
 */
#pragma once
#include "base/buf.h"
#include "edge/peer.h"

/* Appends the line of one; _begin comes first. */
void edge_places_begin(struct buf *out);
void edge_places_add(struct buf *out, struct span address, const struct edge_place *place);
/* The place of this address; none where the text has no such line, or is not of this form. Pure. */
struct edge_place edge_places_find(struct span text, struct span address);
