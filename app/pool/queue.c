#include "pool/queue.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t of_tcp(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    /* of a listening socket this is the queue of connections to be accepted */
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? (int64_t)info.tcpi_unacked : -1;
}

/* The queue's length out of the kernel's answer: an attribute of the first message. */
static int64_t find_length(const char *answer, size_t len)
{
    struct nlmsghdr head;
    size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct unix_diag_msg));
    if (len < at)
        return -1;
    memcpy(&head, answer, sizeof head);
    if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return -1;
    while (at + NLA_HDRLEN <= len) {
        struct nlattr attribute;
        struct unix_diag_rqlen queue;
        memcpy(&attribute, answer + at, sizeof attribute);
        if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > len - at)
            return -1;
        if (attribute.nla_type == UNIX_DIAG_RQLEN && attribute.nla_len >= NLA_HDRLEN + sizeof queue) {
            memcpy(&queue, answer + at + NLA_HDRLEN, sizeof queue);
            return queue.udiag_rqueue;
        }
        at += NLA_ALIGN(attribute.nla_len);
    }
    return -1;
}

static int64_t of_unix(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -1;
    const struct {
        struct nlmsghdr head;
        struct unix_diag_req ask;
    } message = {
        .head = {.nlmsg_len = sizeof message,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST},
        .ask = {.sdiag_family = AF_UNIX,
                .udiag_states = -1U,
                .udiag_ino = (uint32_t)st.st_ino,
                .udiag_show = UDIAG_SHOW_RQLEN,
                .udiag_cookie = {-1U, -1U}},
    };
    char answer[512];
    int64_t length = -1;
    int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (diag < 0)
        return -1;
    /* the kernel answers within the send, so that nothing is waited for */
    if (send(diag, &message, sizeof message, 0) == (ssize_t)sizeof message) {
        ssize_t n = recv(diag, answer, sizeof answer, MSG_DONTWAIT);
        length = n > 0 ? find_length(answer, (size_t)n) : -1;
    }
    close(diag);
    return length;
}

int64_t pool_queue_length(int listen_fd)
{
    int domain;
    socklen_t len = sizeof domain;
    if (getsockopt(listen_fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0)
        return -1;
    if (domain == AF_UNIX)
        return of_unix(listen_fd);
    return domain == AF_INET || domain == AF_INET6 ? of_tcp(listen_fd) : -1;
}
