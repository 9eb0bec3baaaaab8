/*
 * Server-Timing (W3C): what an answer cost, for who may watch: with log.level=debug each answer bears it,
 * else those whose request says `Prefer: timing` with a token that holds metrics:read. Such an answer depends
 * on who asks, so that no cache may keep it.
 *
 *     Server-Timing: auth;dur=0.004;desc="remembered", cache;desc="profiled; hit", total;dur=0.019
 *
 * Where nobody asks, nothing is measured and no clock is read.
 */
#pragma once
#include "http/exchange.h"

/* Whether this exchange is to be measured: *timing is begun then, and x->timing points to it. */
void route_timing_begin(struct http_exchange *x, struct http_timing *timing, bool always);
/* The token has been looked at; scopes: what it holds. */
void route_timing_authorised(struct http_exchange *x, unsigned scopes, bool remembered);
/* Adds the line to the finished response, and takes from it what would let a cache keep it; nothing happens
 * where the asker may not watch. */
void route_timing_write(struct http_exchange *x, bool always);
