#pragma once
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Calls that Swift's Glibc hides behind _GNU_SOURCE, variadic arguments or
 * missing wrappers. Each returns 0 or more, or a negative errno. */

/* unshare(2) and setns(2); the flags are linux_clone_newuser | linux_clone_newnet. */
int linux_unshare(int flags);
int linux_setns(int fd, int flags);
enum { linux_clone_newuser = 0x10000000, linux_clone_newnet = 0x40000000 };

/* setfsuid(2) for the calling thread; 0, or -EPERM where the user is not mapped. Sockets made from
 * then on are that user's. */
int linux_set_file_user(uint32_t user);

/* The kind of namespace behind a descriptor, one of the clone flags; see ioctl_ns(2). */
int linux_namespace_type(int fd);

/* The user namespace that owns a namespace, and the parent of a user namespace, each as a new
 * descriptor; EPERM when the caller may not see that far. See ioctl_ns(2). */
int linux_owning_user_namespace(int fd);
int linux_parent_namespace(int fd);

/* bpf(2). The attributes are read and written, `size` bytes of them. */
int linux_bpf(int command, void *attributes, uint32_t size);

/* The protocol of the socket that /proc/PID/fd/N is, such as "XDP"; returns its length.
 * See sockfs_xattr_get, net/socket.c. */
int linux_socket_protocol(const char *path, char *name, size_t room);

/* The network namespace of the socket that is descriptor `number` of a process, as a new
 * descriptor; see pidfd_getfd(2) and SIOCGSKNS. Needs the right to trace the process. */
int linux_socket_namespace(int pid, int number);

/* An eventfd(2) of value 0, closed on exec. */
int linux_eventfd(void);

/* Blocks SIGTERM, SIGINT and SIGHUP in this thread and those made after it, and gives a
 * signalfd(2) for them, closed on exec, that does not wait. */
int linux_service_signals(void);

/* The number of the next signal of such a descriptor; negative when there is none. */
int linux_take_signal(int fd);

/* An inotify(7) descriptor, closed on exec, that does not wait. */
int linux_file_watch(void);

/* Watches what is written, replaced and removed in a folder, and what is made where that is asked for;
 * the number of the watch. */
int linux_watch_folder(int fd, const char *path, int sees_new);
void linux_forget_folder(int fd, int watch);

/* The reading end of a pipe, which does not wait, and its writing end; both closed on exec. */
int linux_pipe(int ends[2]);

/* A connection that somebody made to a listening socket, closed on exec, that does not wait. */
int linux_accept(int fd);

/* An empty file without a name, closed on exec; see memfd_create(2). */
int linux_memory_file(void);

/* The effective capability set of the calling thread, bit n for capability n. */
int linux_effective_capabilities(uint64_t *effective);

/* Numbers that Swift does not import or that older headers lack. */
enum {
  linux_ip_freebind = 15,
  linux_ip_nodefrag = 22,
  linux_so_original_dst = 80,
  linux_ipv6_hdrincl = 36,
  linux_ipv6_freebind = 78,
  linux_packet_ignore_outgoing = 23,
  linux_eth_p_all = 3,
};
