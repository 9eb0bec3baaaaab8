/* An image's header, of any bytes; and the first frame of what says that it is an animated WebP. */
#include "image/probe.h"
#include "image/webp.h"
#include "support_fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* of just this length, so that one byte too far is found */
    char *copy = malloc(size == 0 ? 1 : size);
    struct err_detail detail = {0};
    struct image_facts facts, frame;
    struct buf first = {0};
    if (copy == NULL)
        return 0;
    if (size > 0)
        memcpy(copy, data, size);
    enum err e = image_probe(span_of(copy, size), &facts, &detail);
    if ((e == OK) != (detail.text[0] == '\0') || (e == OK) != (facts.width > 0 && facts.height > 0))
        __builtin_trap();
    if (e == OK && facts.type == IMAGE_WEBP && facts.animated &&
        image_webp_first_frame(span_of(copy, size), &first) == OK) {
        detail.text[0] = '\0';
        if (image_probe(buf_span(&first), &frame, &detail) == OK && frame.animated)
            __builtin_trap();
    }
    buf_fini(&first);
    free(copy);
    return 0;
}
