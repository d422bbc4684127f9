// Preloaded into weir: notes when each nf_tables transaction was sent, or keeps its bytes.
//
//   BENCH_TIMES=FILE  one line a transaction, after the kernel took it: monotonic clock (ns), the
//                     process's processor time (ns), bytes
//   BENCH_BATCHES=DIR one file a transaction, DIR/0, DIR/1, …: what replay.c sends again

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int batches;

static int begins_batch(const void *bytes, size_t length) {
  const struct nlmsghdr *header = bytes;
  return length >= sizeof *header && header->nlmsg_type == NFNL_MSG_BATCH_BEGIN;
}

static void note(const void *bytes, size_t length) {
  const char *times = getenv("BENCH_TIMES"), *folder = getenv("BENCH_BATCHES");
  struct timespec t, own;
  clock_gettime(CLOCK_MONOTONIC, &t);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
  if (times) {
    FILE *file = fopen(times, "a");
    if (!file) abort();
    fprintf(file, "%lld %lld %zu\n", t.tv_sec * 1000000000LL + t.tv_nsec,
            own.tv_sec * 1000000000LL + own.tv_nsec, length);
    fclose(file);
  }
  if (folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%d", folder, batches++);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(bytes, 1, length, file) != length) abort();
    fclose(file);
  }
}

ssize_t sendto(int socket, const void *bytes, size_t length, int flags,
               const struct sockaddr *to, socklen_t size) {
  static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
  if (!real) real = dlsym(RTLD_NEXT, "sendto");
  ssize_t sent = real(socket, bytes, length, flags, to, size);
  if (sent > 0 && begins_batch(bytes, length)) note(bytes, length);
  return sent;
}

ssize_t send(int socket, const void *bytes, size_t length, int flags) {
  return sendto(socket, bytes, length, flags, NULL, 0);
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
  static ssize_t (*real)(int, const struct msghdr *, int);
  if (!real) real = dlsym(RTLD_NEXT, "sendmsg");
  ssize_t sent = real(socket, message, flags);
  if (sent > 0 && message->msg_iovlen == 1 &&
      begins_batch(message->msg_iov[0].iov_base, message->msg_iov[0].iov_len))
    note(message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
  return sent;
}
