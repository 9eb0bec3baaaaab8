#include "pool/handover.h"

void handover_write(const struct handover *h, struct buf *out)
{
    buf_printf(out, "3 pid=%ld generation=%u listen=%d activated=%d changes=%d board=%d memory=%d children=",
               (long)h->pid, (unsigned)h->generation, h->listen_fd, h->activated ? 1 : 0,
               h->changes_fd < 0 ? 0 : h->changes_fd, h->board_fd, h->memory_fd < 0 ? 0 : h->memory_fd);
    for (size_t i = 0; i < h->child_count; i++)
        buf_printf(out, "%s%ld:%u", i == 0 ? "" : ",", (long)h->children[i].pid, h->children[i].place);
}

/* The next word must be name=NUMBER. */
static bool take(struct span *rest, struct span name, uint64_t most, uint64_t *out)
{
    struct span word = span_cut(rest, ' ');
    return span_starts(word, name) && span_to_u64(span_from(word, name.len), most, out);
}

static bool take_children(struct span list, struct handover *out)
{
    bool taken[SCOREBOARD_SLOTS] = {false};
    if (list.len == 0)
        return true;
    for (struct span rest = list; rest.ptr != NULL;) {
        struct span place_text = span_cut(&rest, ',');
        struct span pid_text = span_cut(&place_text, ':');
        uint64_t pid, place;
        if (!span_to_u64(pid_text, INT32_MAX, &pid) || pid == 0 ||
            !span_to_u64(place_text, SCOREBOARD_SLOTS - 1, &place) || taken[place])
            return false;
        taken[place] = true;
        out->children[out->child_count++] = (struct handover_child){(pid_t)pid, (unsigned)place};
    }
    return true;
}

enum err handover_read(struct span text, struct handover *out)
{
    struct span rest = text;
    struct span children = SPAN_INIT("children=");
    uint64_t pid, generation, listen, activated, changes = 0, board, memory;
    struct span form = span_cut(&rest, ' ');
    bool without_changes = span_eq(form, SPAN("2"));
    out->child_count = 0;
    if ((!without_changes && !span_eq(form, SPAN("3"))) || !take(&rest, SPAN("pid="), INT32_MAX, &pid) ||
        !take(&rest, SPAN("generation="), UINT32_MAX, &generation) ||
        !take(&rest, SPAN("listen="), INT32_MAX, &listen) ||
        !take(&rest, SPAN("activated="), 1, &activated) ||
        (!without_changes && !take(&rest, SPAN("changes="), INT32_MAX, &changes)) ||
        !take(&rest, SPAN("board="), INT32_MAX, &board) ||
        !take(&rest, SPAN("memory="), INT32_MAX, &memory) || !span_starts(rest, children) ||
        !take_children(span_from(rest, children.len), out))
        return ERR_INVALID;
    out->pid = (pid_t)pid;
    out->generation = (uint32_t)generation;
    out->listen_fd = (int)listen;
    out->activated = activated != 0;
    out->changes_fd = changes == 0 ? -1 : (int)changes;
    out->board_fd = (int)board;
    out->memory_fd = memory == 0 ? -1 : (int)memory;
    return OK;
}
