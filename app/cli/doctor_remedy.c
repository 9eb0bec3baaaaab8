#include "cli/doctor_remedy.h"

#define PUT false
#define OUT true

/* Lines are of the servers' own languages, and of at most 70 characters, so that a report fits 80 columns. */
static const struct doctor_remedy remedies[] = {
#define R(fault, part, take_out, where, line)                                                                \
    {DOCTOR_FAULT_##fault, DOCTOR_PART_##part, take_out, where, line},
    /* clang-format off */
    R(NOT_SERVED, LIGHTTPD, PUT, "fastcgi.server", "\"/v1/\" => (\"profiled\" => var.profiled_pool)")
    R(NOT_SERVED, APACHE, PUT, "and so on for each path", "ProxyPass /v1/ unix:/run/profiled/profiled.sock|fcgi://profiled/v1/")
    R(NOT_SERVED, NGINX, PUT, "and so on for each path", "location /v1/ { fastcgi_pass profiled; }")
    R(NOT_SERVED, VARNISH, PUT, "site.vcl, backend origin", ".host = \"127.0.0.1\"; .port = \"8080\";")
    R(NOT_SERVED, PROFILED, PUT, "[server]", "listen = unix:/run/profiled/profiled.sock")
    R(NOT_READY, SHELL, PUT, "", "profiled status; profiled db check")

    R(HEADER_LOST, LIGHTTPD, OUT, "", "setenv.set-response-header = (\"X-Content-Type-Options\" => …)")
    R(HEADER_LOST, APACHE, OUT, "", "Header unset X-Content-Type-Options")
    R(HEADER_LOST, NGINX, OUT, "", "fastcgi_hide_header X-Content-Type-Options;")
    R(HEADER_LOST, VARNISH, OUT, "vcl_deliver", "unset resp.http.X-Content-Type-Options;")
    R(HTTP_1_0, APACHE, OUT, "", "SetEnv force-response-1.0 1")
    R(HTTP_1_0, NGINX, PUT, "location /v1/ of the proxy in front", "proxy_http_version 1.1;")
    R(CERTIFICATE, LIGHTTPD, PUT, "$SERVER[\"socket\"] == \":443\"", "ssl.pemfile = \"/etc/ssl/FULLCHAIN-AND-KEY.pem\"")
    R(CERTIFICATE, APACHE, PUT, "<VirtualHost *:443>", "SSLCertificateFile /etc/ssl/FULLCHAIN.pem")
    R(CERTIFICATE, NGINX, PUT, "server", "ssl_certificate /etc/ssl/FULLCHAIN.pem;")
    R(CERTIFICATE, SHELL, PUT, "", "certbot renew, or what else renews the certificate")

    R(UNCHECKED, APACHE, OUT, "", "CacheIgnoreCacheControl On")
    R(UNCHECKED, APACHE, PUT, "", "CacheStaleOnError off")
    R(UNCHECKED, NGINX, OUT, "", "proxy_ignore_headers Cache-Control;")
    R(UNCHECKED, NGINX, PUT, "location /v1/", "proxy_cache off;")
    R(UNCHECKED, VARNISH, PUT, "vcl_recv, before return (hash)", "call profiled_authorise;")
    R(UNCHECKED, VARNISH, PUT, "vcl_recv of a VCL without that", "if (req.url ~ \"^/v1/\") { return (pass); }")
    R(UNCHECKED, PROFILED, PUT, "[http], until that is mended", "shared_cache = private")
    R(PRIVATE_STORED, APACHE, OUT, "", "CacheStorePrivate On")
    R(PRIVATE_STORED, NGINX, OUT, "", "proxy_ignore_headers Cache-Control Vary;")
    R(PRIVATE_STORED, NGINX, PUT, "location = /v1/me", "proxy_cache off;")
    R(PRIVATE_STORED, VARNISH, PUT, "vcl_recv, before any return (hash)", "if (req.url ~ \"^/v1/me\") { return (pass); }")

    R(CHALLENGE, LIGHTTPD, OUT, "", "setenv.set-response-header = (\"WWW-Authenticate\" => …)")
    R(CHALLENGE, APACHE, OUT, "", "Header unset WWW-Authenticate")
    R(CHALLENGE, APACHE, PUT, "<Location \"/v1/\">", "ProxyErrorOverride Off")
    R(CHALLENGE, NGINX, PUT, "location /v1/", "fastcgi_intercept_errors off;")
    R(CHALLENGE, VARNISH, OUT, "vcl_deliver", "unset resp.http.WWW-Authenticate;")
    R(TOKEN_LOST, LIGHTTPD, OUT, "", "setenv.set-request-header = (\"Authorization\" => …)")
    R(TOKEN_LOST, APACHE, PUT, "<Location \"/\">, as in common.conf", "CGIPassAuth On")
    R(TOKEN_LOST, NGINX, PUT, "location /v1/", "fastcgi_param HTTP_AUTHORIZATION $http_authorization;")
    R(TOKEN_LOST, VARNISH, OUT, "vcl_recv", "unset req.http.Authorization;")
    R(TOKEN_REFUSED, PROFILED, PUT, "[token]", "issuer, audience, keys, leeway as those who mint have them")
    R(TOKEN_REFUSED, SHELL, PUT, "", "profiled token verify TOKEN")

    R(ETAG, LIGHTTPD, OUT, "", "setenv.set-response-header = (\"ETag\" => …)")
    R(ETAG, APACHE, OUT, "", "Header unset ETag")
    R(ETAG, NGINX, OUT, "", "fastcgi_hide_header ETag;")
    R(ETAG, VARNISH, OUT, "vcl_backend_response, vcl_deliver", "unset beresp.http.ETag;")
    R(COMPRESSED, LIGHTTPD, PUT, "", "deflate.mimetypes = (\"text/html\", \"text/css\", \"text/javascript\")")
    R(COMPRESSED, APACHE, PUT, "<Location \"/v1/\">", "SetEnv no-gzip 1")
    R(COMPRESSED, APACHE, PUT, "<Location \"/v1/\">", "SetEnv no-brotli 1")
    R(COMPRESSED, NGINX, PUT, "location /v1/", "gzip off;")
    R(COMPRESSED, VARNISH, OUT, "vcl_backend_response", "set beresp.do_gzip = true;")
    R(WEAK_MATCH, NGINX, PUT, "location /v1/, as in compress.conf", "fastcgi_param HTTP_IF_MATCH $profiled_if_match if_not_empty;")
    R(WEAK_MATCH, NGINX, PUT, "or", "gzip off;")
    R(WEAK_MATCH, LIGHTTPD, PUT, "", "deflate.mimetypes = (\"text/html\", \"text/css\", \"text/javascript\")")
    R(WEAK_MATCH, APACHE, PUT, "", "DeflateAlterETag AddSuffix")
    R(WEAK_MATCH, APACHE, PUT, "", "BrotliAlterETag AddSuffix")
    R(WEAK_MATCH, VARNISH, OUT, "vcl_backend_response", "set beresp.do_gzip = true;")
    R(CONDITION_LOST, LIGHTTPD, OUT, "", "setenv.set-request-header = (\"If-None-Match\" => …)")
    R(CONDITION_LOST, APACHE, OUT, "", "RequestHeader unset If-None-Match")
    R(CONDITION_LOST, NGINX, PUT, "location /v1/", "fastcgi_param HTTP_IF_NONE_MATCH $http_if_none_match;")
    R(CONDITION_LOST, VARNISH, OUT, "vcl_recv", "unset req.http.If-None-Match;")
    R(IF_MATCH_LOST, LIGHTTPD, OUT, "", "setenv.set-request-header = (\"If-Match\" => …)")
    R(IF_MATCH_LOST, APACHE, OUT, "", "RequestHeader unset If-Match")
    R(IF_MATCH_LOST, NGINX, PUT, "location /v1/", "fastcgi_param HTTP_IF_MATCH $http_if_match;")
    R(IF_MATCH_LOST, VARNISH, PUT, "vcl_recv", "if (req.http.If-Match) { return (pass); }")
    R(CACHE_CONTROL, LIGHTTPD, OUT, "", "setenv.set-response-header = (\"Cache-Control\" => …)")
    R(CACHE_CONTROL, APACHE, OUT, "", "Header set Cache-Control …, ExpiresActive On")
    R(CACHE_CONTROL, NGINX, OUT, "", "add_header Cache-Control …; expires …;")
    R(CACHE_CONTROL, VARNISH, OUT, "vcl_deliver", "set resp.http.Cache-Control = …;")
    R(METHOD, LIGHTTPD, OUT, "", "$HTTP[\"request-method\"] !~ … { url.access-deny = (\"\") }")
    R(METHOD, APACHE, OUT, "", "<LimitExcept GET HEAD POST>")
    R(METHOD, NGINX, OUT, "", "limit_except GET HEAD POST { deny all; }")
    R(METHOD, VARNISH, PUT, "vcl_recv", "if (req.method !~ \"^(GET|HEAD)$\") { return (pass); }")
    R(LARGE, LIGHTTPD, PUT, "", "server.max-request-field-size = 65535")
    R(LARGE, APACHE, PUT, "", "LimitRequestFieldSize 16360")
    R(LARGE, APACHE, PUT, "", "LimitRequestLine 16360")
    R(LARGE, NGINX, PUT, "server", "large_client_header_buffers 4 64k;")
    R(LARGE, VARNISH, PUT, "varnishd's command line", "-p http_req_hdr_len=32k -p http_req_size=64k")
    R(SLASH, LIGHTTPD, PUT, "", "server.http-parseopts = (\"url-path-2f-decode\" => \"disable\")")
    R(SLASH, APACHE, PUT, "as in common.conf", "AllowEncodedSlashes NoDecode")
    R(SLASH, NGINX, PUT, "location /v1/", "fastcgi_param REQUEST_URI $request_uri;")
    R(SLASH, VARNISH, OUT, "vcl_recv", "set req.url = regsuball(req.url, \"%2[Ff]\", \"/\");")

    R(CORS, PROFILED, PUT, "[http]", "cors_origins = THE-ORIGIN")
    R(CORS_LOST, LIGHTTPD, OUT, "", "setenv.set-response-header = (\"Access-Control-…\" => …)")
    R(CORS_LOST, APACHE, OUT, "", "Header set Access-Control-…")
    R(CORS_LOST, NGINX, OUT, "", "add_header Access-Control-…; if ($request_method = OPTIONS) …")
    R(CORS_LOST, VARNISH, OUT, "vcl_deliver", "unset resp.http.Access-Control-Expose-Headers;")
    R(VARY, LIGHTTPD, OUT, "", "setenv.set-response-header = (\"Vary\" => …)")
    R(VARY, APACHE, OUT, "", "Header unset Vary")
    R(VARY, NGINX, PUT, "http", "gzip_vary on;")
    R(VARY, NGINX, OUT, "", "fastcgi_hide_header Vary;")
    R(VARY, VARNISH, OUT, "vcl_deliver", "unset resp.http.Vary;")

    R(LEAK, LIGHTTPD, PUT, "", "setenv.set-response-header += (\"CDN-Cache-Control\" => \"\")")
    R(LEAK, LIGHTTPD, PUT, "", "setenv.set-response-header += (\"Surrogate-Key\" => \"\")")
    R(LEAK, APACHE, PUT, "", "Header unset CDN-Cache-Control")
    R(LEAK, APACHE, PUT, "", "Header unset Surrogate-Key")
    R(LEAK, NGINX, PUT, "", "proxy_hide_header CDN-Cache-Control;")
    R(LEAK, NGINX, PUT, "", "proxy_hide_header Surrogate-Key;")
    R(LEAK, VARNISH, PUT, "vcl_deliver", "unset resp.http.CDN-Cache-Control;")
    R(LEAK, VARNISH, PUT, "vcl_deliver", "unset resp.http.Surrogate-Key;")
    R(LEAK, PROFILED, PUT, "[http], where there is no edge", "shared_cache = revalidate")
    R(PURGE, VARNISH, PUT, "varnishd's command line", "-a purge=127.0.0.1:8443")
    R(PURGE, VARNISH, PUT, "site.vcl, acl profiled_purgers", "\"127.0.0.1\";")
    R(PURGE, VARNISH, PUT, "site.vcl, sub profiled_key", "if (req.http.Purge-Key != \"WHAT edge.key HOLDS\") {")
    R(PURGE, PROFILED, PUT, "[edge]", "purge = http://127.0.0.1:8443")
    R(PURGE, PROFILED, PUT, "[edge]", "key = file:/etc/profiled/edge.key")
    R(CLOCK, SHELL, PUT, "", "timedatectl set-ntp true")
    R(CLOCK, PROFILED, PUT, "[token], how far clocks may differ", "leeway = 30s")

    R(DATABASE_PLACE, PROFILED, PUT, "[store], a folder of a local disk", "url = sqlite:/var/lib/profiled/profiled.db")
    R(DATABASE, SHELL, PUT, "", "profiled db migrate; profiled db check")
    R(DATABASE_MODE, SHELL, PUT, "", "chmod o= DATABASE DATABASE-wal DATABASE-shm")
    R(KEYS_MODE, SHELL, PUT, "", "chmod go= KEYS/*.jwk; chmod go-w KEYS; profiled key list")
    R(SOCKET_MODE, PROFILED, PUT, "[server]", "listen_mode = 0660")
    R(SOCKET_TCP, PROFILED, PUT, "[server]", "listen = unix:/run/profiled/profiled.sock")
    R(EDGE_KEY_MODE, SHELL, PUT, "", "chmod o= /etc/profiled/edge.key")
/* clang-format on */
#undef R
};

const struct doctor_remedy *doctor_remedy_next(enum doctor_fault fault, unsigned parts, size_t *at)
{
    while (*at < sizeof remedies / sizeof remedies[0]) {
        const struct doctor_remedy *r = &remedies[(*at)++];
        bool concerns = (1U << r->part & (parts | ~DOCTOR_FRONTS)) != 0;
        if (r->fault == fault && concerns)
            return r;
    }
    return NULL;
}

const char *doctor_part_name(enum doctor_part part)
{
    static const char *const names[DOCTOR_PART_COUNT] = {
#define X(id, name, file) name,
        DOCTOR_PARTS(X)
#undef X
    };
    return names[part];
}

const char *doctor_part_file(enum doctor_part part)
{
    static const char *const files[DOCTOR_PART_COUNT] = {
#define X(id, name, file) file,
        DOCTOR_PARTS(X)
#undef X
    };
    return files[part];
}
