#define _GNU_SOURCE
#include "CNetfilter.h"

#include <errno.h>

ssize_t weir_netlink_receive(int descriptor, void *buffer, size_t capacity, int flags) {
  struct sockaddr_nl sender;
  struct iovec vector = {.iov_base = buffer, .iov_len = capacity};
  struct msghdr message = {
      .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &vector, .msg_iovlen = 1};
  ssize_t count = recvmsg(descriptor, &message, flags);
  if (count < 0) return -errno;
  if (message.msg_flags & MSG_TRUNC) return -EMSGSIZE;
  if (message.msg_namelen != sizeof sender || sender.nl_pid != 0) return 0;
  return count;
}

int weir_netlink_receive_many(int descriptor, void *buffer, size_t room, uint32_t *lengths,
                              unsigned slots) {
  struct sockaddr_nl senders[WEIR_NETLINK_SLOTS];
  struct iovec vectors[WEIR_NETLINK_SLOTS];
  struct mmsghdr messages[WEIR_NETLINK_SLOTS];
  if (slots > WEIR_NETLINK_SLOTS) slots = WEIR_NETLINK_SLOTS;
  for (unsigned slot = 0; slot < slots; slot++) {
    vectors[slot] = (struct iovec){.iov_base = (char *)buffer + slot * room, .iov_len = room};
    messages[slot].msg_hdr = (struct msghdr){.msg_name = &senders[slot],
                                             .msg_namelen = sizeof senders[slot],
                                             .msg_iov = &vectors[slot],
                                             .msg_iovlen = 1};
  }
  int count = recvmmsg(descriptor, messages, slots, MSG_DONTWAIT, NULL);
  if (count < 0) return -errno;
  for (int slot = 0; slot < count; slot++) {
    const struct msghdr *header = &messages[slot].msg_hdr;
    if (header->msg_flags & MSG_TRUNC) return -EMSGSIZE;
    int isKernel = header->msg_namelen == sizeof senders[slot] && senders[slot].nl_pid == 0;
    lengths[slot] = isKernel ? messages[slot].msg_len : 0;
  }
  return count;
}
