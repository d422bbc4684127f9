// Dumps everything nf_tables holds and throws it away: the least that any snapshot takes.
//
//   dump
//
// Tables, chains, sets, the elements of each set, rules, objects and flowtables, in the calling
// process's network namespace. Says how many bytes came, on standard output.

#define _GNU_SOURCE
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
  struct nlmsghdr header;
  struct nfgenmsg family;
  char attributes[1024];
};

static int socket_number;
static long long total;
static struct request *sets;
static size_t set_count;

static void fail(const char *what) {
  fprintf(stderr, "dump: %s: %s\n", what, strerror(errno));
  exit(1);
}

// Copies an attribute of a set's message into the request for its elements.
static void copy(struct request *to, const struct nlattr *attribute) {
  size_t length = NLA_ALIGN(attribute->nla_len);
  size_t used = to->header.nlmsg_len - NLMSG_LENGTH(sizeof to->family);
  if (used + length > sizeof to->attributes) fail("a long name");
  memcpy(to->attributes + used, attribute, length);
  to->header.nlmsg_len += length;
}

static void note(const struct nlmsghdr *message) {
  sets = realloc(sets, (set_count + 1) * sizeof *sets);
  if (!sets) fail("realloc");
  struct request *to = &sets[set_count++];
  memset(to, 0, sizeof *to);
  to->header.nlmsg_len = NLMSG_LENGTH(sizeof to->family);
  memcpy(&to->family, NLMSG_DATA(message), sizeof to->family);
  to->family.res_id = 0;
  const char *end = (const char *)message + message->nlmsg_len;
  const char *place = (const char *)message + NLMSG_LENGTH(sizeof(struct nfgenmsg));
  while (place + sizeof(struct nlattr) <= end) {
    const struct nlattr *attribute = (const void *)place;
    int type = attribute->nla_type & NLA_TYPE_MASK;
    if (type == NFTA_SET_TABLE || type == NFTA_SET_NAME) copy(to, attribute);
    place += NLA_ALIGN(attribute->nla_len);
  }
}

static void dump(int type, struct request *request) {
  static struct request plain;
  static char answer[1 << 17];
  if (!request) {
    plain.header.nlmsg_len = NLMSG_LENGTH(sizeof plain.family);
    request = &plain;
  }
  request->header.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | type;
  request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  if (send(socket_number, request, request->header.nlmsg_len, 0) < 0) fail("send");
  for (;;) {
    ssize_t length = recv(socket_number, answer, sizeof answer, 0);
    if (length < 0) fail("recv");
    total += length;
    for (ssize_t offset = 0; offset + (ssize_t)sizeof(struct nlmsghdr) <= length;) {
      const struct nlmsghdr *message = (const void *)(answer + offset);
      if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) return;
      if (type == NFT_MSG_GETSET) note(message);
      offset += NLMSG_ALIGN(message->nlmsg_len);
    }
  }
}

int main(void) {
  socket_number = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (socket_number < 0) fail("socket");
  int room = 16 << 20;
  setsockopt(socket_number, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  dump(NFT_MSG_GETTABLE, NULL);
  dump(NFT_MSG_GETCHAIN, NULL);
  dump(NFT_MSG_GETSET, NULL);
  for (size_t index = 0; index < set_count; index++) dump(NFT_MSG_GETSETELEM, &sets[index]);
  dump(NFT_MSG_GETRULE, NULL);
  dump(NFT_MSG_GETOBJ, NULL);
  dump(NFT_MSG_GETFLOWTABLE, NULL);
  printf("%lld\n", total);
  return 0;
}
