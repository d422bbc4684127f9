#pragma once
// libnftnl, libmnl and the kernel's netfilter headers as one clang module.
#include <stdint.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h> /* before any linux/in.h, so that libc's in_addr stays the only one */
#include <linux/netlink.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/gen.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/trace.h>
#include <libnftnl/udata.h>

/* Receives one datagram from the kernel itself; others on the bus are ignored.
   Returns its length, 0 for a datagram that did not come from the kernel, or -errno;
   -EMSGSIZE when it did not fit `capacity`. */
ssize_t weir_netlink_receive(int descriptor, void *buffer, size_t capacity, int flags);

/* The SHA-256 of `count` bytes as eight words, by the processor's own instructions.
   Returns 1, or 0 with nothing written where it has none. */
int weir_sha256(const uint8_t *bytes, size_t count, uint32_t digest[8]);

/* The most datagrams that weir_netlink_receive_many takes at once. */
enum { WEIR_NETLINK_SLOTS = 64 };

/* Receives the datagrams that are there, one a slot of `room` bytes, without waiting. Returns how
   many, with their lengths, 0 for one that did not come from the kernel; or -errno, -EAGAIN when
   there is none, -EMSGSIZE when one did not fit. */
int weir_netlink_receive_many(int descriptor, void *buffer, size_t room, uint32_t *lengths,
                              unsigned slots);
