/* What a front server hands over: variables of any bytes, a NUL behind each, to a request. */
#include "support_fuzz.h"

#include "fcgi/variables.h"

#include <stdlib.h>

enum { MAX_VARIABLES = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char *variables[MAX_VARIABLES + 1] = {NULL};
    struct http_request request = {0};
    struct arena arena = {0};
    size_t count = 0;
    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    for (size_t at = 0; at < size && count < MAX_VARIABLES; at += strlen(text + at) + 1)
        variables[count++] = text + at;
    enum err e = fcgi_variables_read(variables, SPAN("/mount"), &arena, &request);
    if (e == OK && (request.path.len == 0 || request.path.ptr[0] != '/'))
        __builtin_trap();
    arena_fini(&arena);
    free(text);
    return 0;
}
