#include "cli/explain.h"

#include "token/jwt.h"
#include "token/paseto.h"
#include "token/time.h"
#include "json/load.h"
#include "json/write.h"

#include <stdio.h>
#include <stdlib.h>

/* What was found out about one token. */
struct verdict {
    bool paseto;
    json_t *header; /* NULL: none, or not JSON */
    json_t *claims;
    bool valid;
    struct token_identity identity; /* when valid */
    struct err_detail why;          /* when not */
};

/* What stands in it, as far as it can be read, whatever it is worth. */
static void read_pieces(struct span token, struct arena *arena, struct verdict *v)
{
    struct token_parts parts;
    enum err e = v->paseto ? token_paseto_split(token, (struct span){NULL, 0}, arena, &parts, NULL)
                           : token_jwt_split(token, arena, &parts, NULL);
    if (e != OK)
        return;
    /* a piece that is not JSON stays NULL, and is shown as such */
    if (json_load_strict(parts.header, JSON_MAX_DEPTH, &v->header, NULL) != OK)
        v->header = NULL;
    if (json_load_strict(parts.payload, JSON_MAX_DEPTH, &v->claims, NULL) != OK)
        v->claims = NULL;
}

static void print_piece(const char *title, const json_t *value)
{
    /* in ASCII, because what stands there is anybody's and this may be a terminal */
    char *text =
        value == NULL ? NULL : json_dumps(value, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    printf("%s: %s\n", title, text == NULL ? "cannot be read" : text);
    free(text);
}

static void print_for_person(const struct verdict *v)
{
    struct buf text = {0};
    printf("form: %s\n", v->paseto ? "PASETO v4.public" : "JWT");
    print_piece(v->paseto ? "footer" : "header", v->header);
    print_piece("claims", v->claims);
    if (v->valid) {
        token_scope_write(&text, v->identity.scopes);
        printf("speaks for: %.*s\nscopes here: %s\n", SPAN_ARG(v->identity.subject),
               text.len == 0 ? "none" : buf_text(&text));
        buf_clear(&text);
        token_time_write(&text, v->identity.expires_s);
        printf("expires: %s\nverdict: valid (unless it was revoked, which the server looks at)\n",
               buf_text(&text));
    } else {
        printf("verdict: not valid: %s\n", v->why.text);
    }
    buf_fini(&text);
}

static void write_piece(struct buf *out, const json_t *value)
{
    if (value == NULL)
        buf_lit(out, "null");
    else
        json_write_value(out, value);
}

static void print_as_json(const struct verdict *v)
{
    struct buf out = {0};
    buf_printf(&out, "{\"form\":\"%s\",\"header\":", v->paseto ? "paseto" : "jwt");
    write_piece(&out, v->header);
    buf_lit(&out, ",\"claims\":");
    write_piece(&out, v->claims);
    if (v->valid) {
        buf_lit(&out, ",\"valid\":true,\"subject\":");
        json_write_string(&out, v->identity.subject);
        buf_lit(&out, ",\"issuer\":");
        json_write_string(&out, v->identity.issuer);
        buf_lit(&out, ",\"scope\":\"");
        token_scope_write(&out, v->identity.scopes);
        buf_lit(&out, "\",\"expires_at\":\"");
        token_time_write(&out, v->identity.expires_s);
        buf_lit(&out, "\"}");
    } else {
        buf_lit(&out, ",\"valid\":false,\"reason\":");
        json_write_string(&out, span_str(v->why.text));
        buf_char(&out, '}');
    }
    puts(buf_text(&out));
    buf_fini(&out);
}

bool cli_explain_token(const struct token_keyring *ring, const struct token_policy *policy, struct span token,
                       int64_t now_s, bool json)
{
    struct verdict v = {.paseto = token_paseto_is(token)};
    struct arena arena = {0};
    read_pieces(token, &arena, &v);
    v.valid = token_verify(ring, policy, token, now_s, &arena, &v.identity, &v.why) == OK;
    if (json)
        print_as_json(&v);
    else
        print_for_person(&v);
    json_decref(v.header);
    json_decref(v.claims);
    arena_fini(&arena);
    return v.valid;
}
