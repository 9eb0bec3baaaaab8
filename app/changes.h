/*
 * The changes process of a pool: it keeps the requests that wait for changes (fcgi/hold.h), on a socket of
 * its own, so that waiting holds no worker. It looks whether anybody has written as the edge process does
 * (store/watch.h, no SQL), often only while somebody waits.
 *
 * And since it follows the change log anyway, it looks after the database: entries older than store.changes_kept
 * are taken out of the log in small steps, and behind a deletion what it deleted is taken out of the files within
 * seconds (store/sweep.c). Where there is no pool, nobody does.
 */
#pragma once
#include "pool/worker.h"
#include "service.h"

/* Runs in the process; for pool_worker_program. data is the struct service. listen_fd -1: there are no
 * requests. Returns the exit status. */
int changes_run(void *data, int listen_fd, struct pool_worker *self);
