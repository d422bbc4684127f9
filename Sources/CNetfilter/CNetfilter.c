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
