#include "cli/doctor_local.h"

#include "config/edge.h"
#include "config/listen.h"
#include "token/keyfolder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { LOCK_WAIT_MS = 5000 };

size_t doctor_local_judge_store(const struct store_facts *facts, const char *path, struct doctor_finding *out)
{
    struct doctor_finding *place = &out[0], *health = &out[1], *mode = &out[2];
    *place = (struct doctor_finding){.name = "database-place"};
    *health = (struct doctor_finding){.name = "database"};
    *mode = (struct doctor_finding){.name = "database-mode"};
    snprintf(mode->subject, sizeof mode->subject, "%s", path);
    if (facts->network_file_system)
        doctor_fault(place, DOCTOR_FAULT_DATABASE_PLACE,
                     "%s lies on a network file system: WAL needs memory that all processes share", path);
    else
        doctor_fine(place, "on a local file system");
    if (strcmp(facts->integrity, "ok") != 0)
        doctor_fault(health, DOCTOR_FAULT_DATABASE, "damaged: %s", facts->integrity);
    else if (strcmp(facts->journal_mode, "wal") != 0)
        doctor_fault(health, DOCTOR_FAULT_DATABASE, "the journal mode is %s, not wal", facts->journal_mode);
    else if (facts->epoch[0] == '\0')
        doctor_fault(health, DOCTOR_FAULT_DATABASE, "it has no epoch yet: no pool has opened it");
    else
        doctor_fine(
            health, "whole, journal mode wal; SQLite %s%s", facts->sqlite_version,
            facts->wal_reset_fixed ? "" : ", with the WAL-reset bug: safe as long as only profiled writes");
    if (facts->others_may_read)
        doctor_fault(mode, DOCTOR_FAULT_DATABASE_MODE, "others may read the database: mode %04o",
                     facts->mode);
    else
        doctor_fine(mode, "mode %04o", facts->mode);
    return 3;
}

static size_t look_at_store(const struct config_settings *s, struct doctor_finding *out)
{
    const struct store_options options = {.read_only = true, .busy_ms = LOCK_WAIT_MS};
    const char *url = config_text(s, CONFIG_store_url);
    struct err_detail detail = {0};
    struct store_facts facts;
    struct store *store = NULL;
    enum err e = store_open(url, &options, &store, &detail);
    if (e == OK)
        e = store_inspect(store, &facts, &detail);
    store_close(&store);
    if (e == OK)
        return doctor_local_judge_store(&facts, strncmp(url, "sqlite:", 7) == 0 ? url + 7 : url, out);
    out[0] = (struct doctor_finding){.name = "database"};
    doctor_fault(&out[0], DOCTOR_FAULT_DATABASE, "%s", detail.text[0] != '\0' ? detail.text : err_name(e));
    return 1;
}

static void look_at_keys(const struct config_settings *s, struct doctor_finding *f)
{
    const char *folder = config_text(s, CONFIG_token_keys);
    struct token_keyfolder keys = {0};
    struct err_detail detail = {0};
    struct stat st;
    *f = (struct doctor_finding){.name = "keys"};
    snprintf(f->subject, sizeof f->subject, "%s", folder);
    if (token_keyfolder_load(folder, &keys, &detail) != OK) {
        doctor_fault(f, DOCTOR_FAULT_KEYS_MODE, "%s", detail.text);
        return;
    }
    size_t count = keys.count, open = 0;
    for (size_t i = 0; i < count; i++)
        open += stat(keys.keys[i].path, &st) == 0 && keys.keys[i].has_secret && (st.st_mode & 07) != 0;
    bool signs = token_keyfolder_signing(&keys) != NULL;
    token_keyfolder_fini(&keys);
    if (open > 0)
        doctor_fault(f, DOCTOR_FAULT_KEYS_MODE, "others may read %zu of the keys in %s", open, folder);
    else
        doctor_fine(f, "%zu key%s%s, modes as they should be", count, count == 1 ? "" : "s",
                    signs ? "" : ", none of which signs");
}

static bool is_loopback(const struct config_listen *l)
{
    if (l->address.any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&l->address.ip6.sin6_addr);
    return ntohl(l->address.ip4.sin_addr.s_addr) >> 24 == 127;
}

static void look_at_socket(const struct config_settings *s, struct doctor_finding *f)
{
    struct config_listen listen;
    struct stat st;
    *f = (struct doctor_finding){.name = "socket"};
    if (config_listen_parse(span_str(config_text(s, CONFIG_server_listen)), &listen, NULL) != OK)
        doctor_skip(f, "server.listen cannot be read");
    else if (listen.kind == CONFIG_LISTEN_TCP && is_loopback(&listen))
        doctor_fine(f, "TCP on the loopback: whoever is on this machine may connect, and is trusted");
    else if (listen.kind == CONFIG_LISTEN_TCP)
        doctor_fault(f, DOCTOR_FAULT_SOCKET_TCP,
                     "it listens on TCP beyond the loopback: whoever can connect is trusted");
    else if (stat(listen.address.unix_path.sun_path, &st) != 0)
        doctor_skip(f, "%s: %s", listen.address.unix_path.sun_path, strerror(errno));
    else if ((st.st_mode & 07) != 0)
        doctor_fault(f, DOCTOR_FAULT_SOCKET_MODE, "everybody may connect to the pool's socket: mode %04o",
                     st.st_mode & 07777U);
    else
        doctor_fine(f, "mode %04o", st.st_mode & 07777U);
}

/* The secret that purges bear is in a file, PATH or file:PATH, or stands in the configuration itself; it is
 * not shown. */
static void look_at_edge_key(const struct config_settings *s, struct doctor_finding *f)
{
    const char *key = config_text(s, CONFIG_edge_key);
    const char *path = config_edge_key_path(key);
    struct stat st;
    if (path == NULL) /* it stands in the configuration itself */
        path = s->path;
    *f = (struct doctor_finding){.name = "edge-key"};
    snprintf(f->subject, sizeof f->subject, "%s", path == NULL ? "" : path);
    if (key[0] == '\0')
        doctor_skip(f, "edge.key is not set");
    else if (path == NULL || stat(path, &st) != 0)
        doctor_fault(f, DOCTOR_FAULT_NONE, "the file of edge.key: %s",
                     path == NULL ? "none" : strerror(errno));
    else if ((st.st_mode & 07) != 0)
        doctor_fault(f, DOCTOR_FAULT_EDGE_KEY_MODE, "others may read edge.key, in %s: mode %04o", path,
                     st.st_mode & 07777U);
    else
        doctor_fine(f, "mode %04o", st.st_mode & 07777U);
}

size_t doctor_local(const struct config_settings *s, struct doctor_finding *out)
{
    size_t n = look_at_store(s, out);
    look_at_keys(s, &out[n++]);
    look_at_socket(s, &out[n++]);
    look_at_edge_key(s, &out[n++]);
    return n;
}
