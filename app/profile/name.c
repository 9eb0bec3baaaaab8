#include "base/ident.h"
#include "profile/ascii.h"
#include "profile/profile.h"

enum { HANDLE_MIN = 2 };

bool profile_id_valid(struct span id)
{
    return ident_valid(id);
}

bool profile_handle_fold(struct span handle, char out[PROFILE_HANDLE_MAX + 1])
{
    out[0] = '\0';
    if (handle.len < HANDLE_MIN || handle.len > PROFILE_HANDLE_MAX)
        return false;
    for (size_t i = 0; i < handle.len; i++)
        if (!profile_ascii_alphanumeric(handle.ptr[i]) && handle.ptr[i] != '_')
            return false;
    for (size_t i = 0; i < handle.len; i++)
        out[i] = profile_ascii_lower(handle.ptr[i]);
    out[handle.len] = '\0';
    return true;
}
