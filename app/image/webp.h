/*
 * WebP (RFC 9649): the walk over its chunks, and the first frame of an animation as an image of its own,
 * which is what a thumbnail is made of. Pure.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* The next chunk of rest: its code's four bytes and its data; rest is moved behind it and its padding. false:
 * there is none, or it is longer than what is left. */
bool image_webp_chunk(struct span *rest, struct span *code, struct span *data);

/* Appends the first frame of an animated WebP as a WebP that is not animated. ERR_INVALID: there is no whole
 * frame in it; ERR_NOMEM. */
MUST_USE enum err image_webp_first_frame(struct span bytes, struct buf *out);
