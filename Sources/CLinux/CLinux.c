#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int result(int status) { return status < 0 ? -errno : status; }

int linux_unshare(int flags) { return result(unshare(flags)); }

int linux_setns(int fd, int flags) { return result(setns(fd, flags)); }

int linux_set_file_user(uint32_t user) {
  setfsuid(user);
  /* An impossible user changes nothing and tells who it is. */
  return (uint32_t)setfsuid((uid_t)-1) == user ? 0 : -EPERM;
}

int linux_namespace_type(int fd) { return result(ioctl(fd, NS_GET_NSTYPE)); }

int linux_eventfd(void) { return result(eventfd(0, EFD_CLOEXEC)); }

int linux_service_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -errno;
  return result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int linux_take_signal(int fd) {
  struct signalfd_siginfo info;
  ssize_t count = read(fd, &info, sizeof info);
  return count == sizeof info ? (int)info.ssi_signo : -EAGAIN;
}

int linux_file_watch(void) { return result(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }

int linux_watch_folder(int fd, const char *path, int sees_new) {
  return result(inotify_add_watch(
      fd, path,
      IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |
          IN_ONLYDIR | (sees_new ? IN_CREATE : 0)));
}

void linux_forget_folder(int fd, int watch) { (void)inotify_rm_watch(fd, watch); }

int linux_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  return result(fcntl(ends[0], F_SETFL, O_NONBLOCK));
}

int linux_accept(int fd) {
  return result(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

int linux_memory_file(void) { return result(memfd_create("weir", MFD_CLOEXEC)); }

int linux_effective_capabilities(uint64_t *effective) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
  if (syscall(SYS_capget, &header, data) < 0) return -errno;
  *effective = (uint64_t)data[1].effective << 32 | data[0].effective;
  return 0;
}

int linux_owning_user_namespace(int fd) { return result(ioctl(fd, NS_GET_USERNS)); }

int linux_parent_namespace(int fd) { return result(ioctl(fd, NS_GET_PARENT)); }

int linux_bpf(int command, void *attributes, uint32_t size) {
  return result((int)syscall(SYS_bpf, command, attributes, size));
}

int linux_socket_protocol(const char *path, char *name, size_t room) {
  return result((int)getxattr(path, "system.sockprotoname", name, room));
}

int linux_socket_namespace(int pid, int number) {
  int process = (int)syscall(SYS_pidfd_open, pid, 0);
  if (process < 0) return -errno;
  int status = result((int)syscall(SYS_pidfd_getfd, process, number, 0));
  close(process);
  if (status < 0) return status;
  int copy = status;
  status = result(ioctl(copy, SIOCGSKNS));
  close(copy);
  return status;
}
