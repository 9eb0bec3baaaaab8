#include "handlers/cursor.h"

#include "crypto/base64url.h"
#include "crypto/hash.h"
#include "crypto/random.h"

enum { TAG_LEN = CRYPTO_BLAKE2B_MIN_LEN, BYTES_MAX = TAG_LEN + HANDLERS_POSITION_MAX };

static struct span key_of(const struct handlers_cursor *cursor)
{
    return span_of((const char *)cursor->key, HANDLERS_CURSOR_KEY);
}

static enum err make_tag(const struct handlers_cursor *cursor, struct span position,
                         unsigned char out[TAG_LEN])
{
    struct buf text = {0};
    buf_append(&text, span_of("tag", sizeof "tag"));
    buf_append(&text, cursor->order);
    buf_char(&text, '\0');
    buf_append(&text, cursor->query);
    buf_char(&text, '\0');
    buf_append(&text, position);
    enum err e = buf_status(&text);
    if (e == OK)
        crypto_blake2b(buf_span(&text), key_of(cursor), out, TAG_LEN);
    buf_fini(&text);
    return e;
}

/* What stands behind the tag: hides it, and shows it again. */
static void mask(const struct handlers_cursor *cursor, unsigned char bytes[BYTES_MAX], size_t len)
{
    unsigned char text[sizeof "stream" + TAG_LEN], stream[CRYPTO_BLAKE2B_MAX_LEN];
    memcpy(text, "stream", sizeof "stream");
    memcpy(text + sizeof "stream", bytes, TAG_LEN);
    crypto_blake2b(span_of((const char *)text, sizeof text), key_of(cursor), stream, sizeof stream);
    for (size_t i = 0; i < len && i < HANDLERS_POSITION_MAX; i++)
        bytes[TAG_LEN + i] ^= stream[i];
}

void handlers_cursor_write(const struct handlers_cursor *cursor, struct span position, struct buf *out)
{
    unsigned char bytes[BYTES_MAX];
    if (position.len > HANDLERS_POSITION_MAX || make_tag(cursor, position, bytes) != OK) {
        out->failed = true;
        return;
    }
    if (position.len > 0)
        memcpy(bytes + TAG_LEN, position.ptr, position.len);
    mask(cursor, bytes, position.len);
    crypto_base64url_write(out, span_of((const char *)bytes, TAG_LEN + position.len));
}

enum err handlers_cursor_read(const struct handlers_cursor *cursor, struct span text,
                              unsigned char position[HANDLERS_POSITION_MAX], size_t *len)
{
    unsigned char bytes[BYTES_MAX], tag[TAG_LEN];
    size_t size;
    *len = 0;
    memset(position, 0, HANDLERS_POSITION_MAX);
    if (crypto_base64url_decode(text, bytes, sizeof bytes, &size) != OK || size < TAG_LEN)
        return ERR_INVALID;
    size -= TAG_LEN;
    mask(cursor, bytes, size);
    enum err e = make_tag(cursor, span_of((const char *)bytes + TAG_LEN, size), tag);
    if (e != OK)
        return e;
    if (!crypto_equal(bytes, tag, TAG_LEN))
        return ERR_INVALID;
    memcpy(position, bytes + TAG_LEN, size);
    *len = size;
    return OK;
}
