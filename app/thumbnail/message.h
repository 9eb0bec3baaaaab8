/* What the child tells its parent: how it ended, and for each thumbnail this head and then its bytes. */
#pragma once
#include "thumbnail/make.h"

enum child_end {
    CHILD_MADE = 0,
    CHILD_UNDECODABLE = 10, /* the image is none, or asks for more than there may be */
    CHILD_UNABLE = 11,      /* no libgd, no sandbox: the machine's fault */
};

struct child_head {
    uint32_t len;
};

/* Most that all of it may be. */
enum { CHILD_OUTPUT_MAX = 2 * 1024 * 1024, CHILD_INPUT_MAX = 16 * 1024 * 1024 };
