/* The child: everything that needs the machine first, then the sandbox, and only then a look at the image. */
#include "thumbnail/draw.h"
#include "thumbnail/make.h"
#include "thumbnail/message.h"
#include "thumbnail/sandbox.h"

#include "image/webp.h"

#include <sys/syscall.h>
#include <unistd.h>

/* 16 million pixels are 64 MiB once decoded; AVIF and WebP hold them twice, and a little more. */
enum { MEMORY_MIB = 448, CPU_S = 3 };

/* At once: nothing that a library would still do is wanted here, and some of it the filter would not let
 * pass. */
static void end(enum child_end how)
{
    for (;;)
        syscall(SYS_exit_group, (int)how);
}

static bool read_all(struct buf *out)
{
    enum { PIECE = 64 * 1024 };
    for (;;) {
        char *to = buf_reserve(out, PIECE);
        if (to == NULL || out->len > CHILD_INPUT_MAX)
            return false;
        ssize_t n = read(STDIN_FILENO, to, PIECE);
        if (n < 0)
            return false;
        if (n == 0)
            return true;
        buf_extend(out, (size_t)n);
    }
}

static bool write_all(const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, at, len);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* What libgd is to decode: it knows no animated WebP, whose first frame stands for it. */
static bool prepare(struct buf *image, struct image_facts *facts, struct buf *frame, struct span *bytes)
{
    struct err_detail ignored = {0};
    *bytes = buf_span(image);
    if (image_probe(*bytes, facts, &ignored) != OK || image_size_check(facts, &ignored) != OK)
        return false;
    if (facts->type != IMAGE_WEBP || !facts->animated)
        return true;
    if (image_webp_first_frame(*bytes, frame) != OK)
        return false;
    *bytes = buf_span(frame);
    return image_probe(*bytes, facts, &ignored) == OK && image_size_check(facts, &ignored) == OK;
}

int thumbnail_child(void)
{
    struct buf image = {0}, frame = {0};
    struct image_facts facts;
    struct thumbnail_drawn list[THUMBNAIL_COUNT] = {{NULL, 0}};
    struct span bytes;
    if (thumbnail_sandbox_begin() != OK || thumbnail_draw_load() != OK ||
        thumbnail_sandbox_close(MEMORY_MIB, CPU_S) != OK)
        end(CHILD_UNABLE);
    if (!read_all(&image) || !prepare(&image, &facts, &frame, &bytes) ||
        thumbnail_draw(bytes, &facts, thumbnail_sizes, THUMBNAIL_COUNT, list) != OK)
        end(CHILD_UNDECODABLE);
    for (int i = 0; i < THUMBNAIL_COUNT; i++) {
        const struct child_head head = {(uint32_t)list[i].len};
        if (!write_all(&head, sizeof head) || !write_all(list[i].bytes, (size_t)list[i].len))
            end(CHILD_UNABLE);
    }
    end(CHILD_MADE);
    return CHILD_MADE;
}
