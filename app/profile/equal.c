#include "profile/equal.h"

#include "profile/iterable.h"
#include "json/get.h"

/* Exact: a double is compared as an integer only where it is one, never the integer as a rounded double. */
static bool integer_equals_real(json_int_t integer, double real)
{
    return real >= -0x1p63 && real < 0x1p63 && (double)(json_int_t)real == real &&
           (json_int_t)real == integer;
}

static bool numbers_equal(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    if (json_is_integer(a))
        return integer_equals_real(json_integer_value(a), json_real_value(b));
    if (json_is_integer(b))
        return integer_equals_real(json_integer_value(b), json_real_value(a));
    return json_real_value(a) == json_real_value(b);
}

static bool arrays_equal(const json_t *a, const json_t *b)
{
    size_t size = json_array_size(a);
    if (size != json_array_size(b))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!profile_json_equal(json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

static bool objects_equal(const json_t *a, const json_t *b)
{
    const char *key;
    size_t len;
    json_t *value, *members = profile_json_iterable(a);
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_keylen_foreach(members, key, len, value)
    {
        const json_t *other = json_object_getn(b, key, len);
        if (other == NULL || !profile_json_equal(value, other))
            return false;
    }
    return true;
}

bool profile_json_equal(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return numbers_equal(a, b);
    if (json_typeof(a) != json_typeof(b))
        return false;
    switch (json_typeof(a)) {
    case JSON_OBJECT:
        return objects_equal(a, b);
    case JSON_ARRAY:
        return arrays_equal(a, b);
    case JSON_STRING:
        return span_eq(json_text(a), json_text(b));
    case JSON_INTEGER:
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        break;
    }
    return true; /* of one type, and not numbers: true, false and null are what they are */
}
