// Sends recorded nf_tables transactions again: the least that any loader of that layout takes.
//
//   replay FILE ...
//
// Each file is one transaction as record.c kept it. Every one must be acknowledged.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int wanted_acknowledgements(const char *bytes, size_t length) {
  int count = 0;
  for (size_t offset = 0; offset + sizeof(struct nlmsghdr) <= length;) {
    const struct nlmsghdr *header = (const void *)(bytes + offset);
    if (header->nlmsg_len < sizeof *header) break;
    count += (header->nlmsg_flags & NLM_F_ACK) != 0;
    offset += NLMSG_ALIGN(header->nlmsg_len);
  }
  return count;
}

static void receive(int socket, int wanted) {
  static char answer[1 << 16];
  while (wanted > 0) {
    ssize_t length = recv(socket, answer, sizeof answer, 0);
    if (length < 0) fail("recv");
    for (size_t offset = 0; offset + sizeof(struct nlmsghdr) <= (size_t)length;) {
      const struct nlmsghdr *header = (const void *)(answer + offset);
      if (header->nlmsg_type == NLMSG_ERROR) {
        errno = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
        if (errno) fail("the kernel refused the transaction");
        wanted--;
      }
      offset += NLMSG_ALIGN(header->nlmsg_len);
    }
  }
}

int main(int count, char **arguments) {
  int netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER), room = 1 << 30;
  if (netlink < 0) fail("socket");
  if (setsockopt(netlink, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0 ||
      setsockopt(netlink, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
    fail("the socket's buffers (needs CAP_NET_ADMIN)");
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (bind(netlink, (void *)&kernel, sizeof kernel) < 0) fail("bind");
  for (int i = 1; i < count; i++) {
    int file = open(arguments[i], O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status) < 0) fail(arguments[i]);
    const char *bytes = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) fail("mmap");
    if (sendto(netlink, bytes, status.st_size, 0, (void *)&kernel, sizeof kernel) < 0)
      fail("sendto");
    receive(netlink, wanted_acknowledgements(bytes, status.st_size));
    close(file);
  }
  return 0;
}
