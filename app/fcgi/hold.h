/*
 * The loop of the process that keeps requests waiting (long polling): any number of connections at once, none
 * of which can hold up another, since nothing here blocks on a peer. A request is read whole, handed to the
 * router, and either answered or kept; one that is kept goes to the router again, from the beginning (its
 * token is looked at anew), when what it waits for has come, when its time is over, or when the process is to
 * end. Each connection is closed behind its answer.
 *
 *     READING    the records come in                     -> HELD, WRITING, or gone
 *     HELD       there is nothing to say yet             -> WRITING, or gone: its peer closed it
 *     WRITING    the answer goes out                     -> gone
 *
 * READING and WRITING have a time limit (io_timeout_s). FCGI_HELD_MOST may be kept; who comes when there are
 * so many is told to come back later (503). What is beyond the number of connections waits in the socket's
 * queue.
 *
 * In one process, single thread; signals come in during the wait alone.
 */
#pragma once
#include "fcgi/serve.h"

enum { FCGI_HELD_MOST = 1000 };

struct fcgi_hold_hooks {
    bool (*stopping)(void *data); /* finish? Asked before each wait */
    void (*request_begin)(void *data, int64_t now_us);
    void (*request_end)(void *data);
    /*
     * Looks what those who are kept wait for: *place as in http_hold, or 0 where it cannot be told. Gives for
     * how many milliseconds the next look may be put off; held: how many wait for it.
     */
    int64_t (*look)(void *data, int64_t now_us, size_t held, uint64_t *place);
    int wake_fd; /* readable when it is time to look; -1: there is none. look empties it */
    void *data;
};

/*
 * Runs until it is told to stop and those in hand are answered, which takes two seconds at most. listen_fd
 * -1: there are no requests, only looks. row: the number in the metrics of the router's first route. OK: told
 * to stop. ERR_IO, ERR_NOMEM: why it cannot go on, with detail.
 */
MUST_USE enum err fcgi_hold_serve(int listen_fd, const sigset_t *wait_mask, const struct router *router,
                                  size_t row, const struct fcgi_options *options,
                                  const struct fcgi_hold_hooks *hooks, struct err_detail *detail);
