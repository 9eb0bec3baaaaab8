/*
 * What any libfcgi responder costs: the library's plain loop and a fixed answer of the size of a profile, 304
 * for its own tag, no token looked at. The benchmark of the server (server.mjs) divides by this. Started by
 * lighttpd (bin-path) or spawn-fcgi with its listening socket as descriptor 0.
 */
#include <fcgiapp.h>

#include <stdio.h>
#include <string.h>

enum { BODY_LEN = 738 };
#define VALIDATORS "ETag: \"0123456789-1p1\"\r\nCache-Control: public, no-cache, must-revalidate\r\n"

int main(void)
{
    static char full[2048];
    static const char kept[] = "Status: 304 Not Modified\r\n" VALIDATORS "\r\n";
    FCGX_Request request;
    int head =
        snprintf(full, sizeof full,
                 "Content-Type: application/json\r\n" VALIDATORS "Content-Length: %d\r\n\r\n", BODY_LEN);
    memset(full + head, 'x', BODY_LEN);
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
        return 1;
    while (FCGX_Accept_r(&request) >= 0) {
        const char *tag = FCGX_GetParam("HTTP_IF_NONE_MATCH", request.envp);
        if (tag != NULL && strcmp(tag, "\"0123456789-1p1\"") == 0)
            FCGX_PutStr(kept, sizeof kept - 1, request.out);
        else
            FCGX_PutStr(full, head + BODY_LEN, request.out);
        FCGX_Finish_r(&request);
    }
    return 0;
}
