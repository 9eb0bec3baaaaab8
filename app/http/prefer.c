#include "http/prefer.h"

#include "http/syntax.h"

/* "=" and a value, if they are there, with white space round the "=" (BWS); false when there is "=" and no
 * value. */
static bool take_value(struct span *rest, struct span *value)
{
    *value = SPAN("");
    http_take_space(rest);
    if (!http_take_char(rest, '='))
        return true;
    http_take_space(rest);
    return http_take_word(rest, value);
}

/* Goes to the comma that ends an element, over those that stand in a quoted string; to the end when such a
 * string does not end. */
static void skip_element(struct span *rest)
{
    struct span ignored;
    while (rest->len > 0 && rest->ptr[0] != ',') {
        bool quote = rest->ptr[0] == '"';
        if (!http_take_quoted(rest, &ignored))
            *rest = span_from(*rest, quote ? rest->len : 1);
    }
}

/* preference [ BWS "=" BWS word ] *( OWS ";" [ OWS parameter ] ), RFC 7240 section 2; false when it is
 * malformed. */
static bool take_preference(struct span *rest, struct span *name, struct span *value)
{
    struct span ignored;
    *name = http_take_token(rest);
    if (name->len == 0 || !take_value(rest, value))
        return false;
    http_take_space(rest);
    while (http_take_char(rest, ';')) {
        http_take_space(rest);
        if (http_take_token(rest).len > 0 && !take_value(rest, &ignored))
            return false;
        http_take_space(rest);
    }
    return rest->len == 0 || rest->ptr[0] == ',';
}

bool http_prefer_find(struct span prefer, struct span name, struct span *value)
{
    while (prefer.len > 0) {
        struct span found;
        http_take_space(&prefer);
        if (take_preference(&prefer, &found, value) && span_eq_nocase(found, name))
            return true;
        skip_element(&prefer);
        http_take_char(&prefer, ',');
    }
    *value = SPAN("");
    return false;
}

enum http_prefer_return http_prefer_return(struct span prefer)
{
    struct span value;
    if (!http_prefer_find(prefer, SPAN("return"), &value))
        return HTTP_RETURN_UNSAID;
    if (span_eq(value, SPAN("minimal")))
        return HTTP_RETURN_MINIMAL;
    return span_eq(value, SPAN("representation")) ? HTTP_RETURN_REPRESENTATION : HTTP_RETURN_UNSAID;
}
