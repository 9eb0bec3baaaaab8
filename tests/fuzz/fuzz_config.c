/* A configuration file of any bytes: settings, or an error that says where. */
#include "support_fuzz.h"

#include "config/load.h"
#include "config/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_settings settings = {0};
    struct err_detail detail = {0};
    if (config_defaults(&settings) != OK)
        return 0;
    enum err e = config_parse(span_of((const char *)data, size), "fuzz.conf", &settings, &detail);
    if (e != OK && e != ERR_NOMEM && detail.text[0] == '\0')
        __builtin_trap();
    config_fini(&settings);
    return 0;
}
