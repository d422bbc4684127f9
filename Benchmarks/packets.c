// Measures what rules cost per packet, several rulesets side by side in one process.
//
//   packets ROUNDS BATCH NAME=RULES.nft ...      (RULES may be empty: no rules)
//
// Each ruleset gets a network namespace of its own with one tap device, whose packet filter
// refuses everything, so that what passes the rules is dropped at the end of the output path.
// Sockets of all namespaces stay open in this one process, and batches of them take turns in
// random order: a busy moment of the machine meets all rulesets alike. Time is the thread's
// processor time. Prints a line per kind of traffic and ruleset: KIND NAME, then the nanoseconds
// a packet took in each round. Kinds, each for IPv4 and IPv6:
//
//   established  a UDP flow that was answered
//   new          one flow, never answered: every packet of it is new to conntrack
//   many         the same for 4096 destinations in turn, so that nothing stays in the cache
//   first        the first packet of a flow each time, so that conntrack makes an entry
//
// Must be started by root (or in a user namespace); never touches the namespace it starts in.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { destinationCount = 4096, ethernet = 14, payload = 32, maximumCases = 16 };

enum kind { established4, new4, many4, first4, established6, new6, many6, first6, kindCount };
static const char *const kindNames[kindCount] = {
  "established4", "new4", "many4", "first4", "established6", "new6", "many6", "first6"};

struct ruleset {
  const char *name;
  int tap;
  int sockets[kindCount];
  unsigned next[kindCount];  // position in the destinations of "many" and "first"
  double *samples[kindCount];
};

static void fail(const char *what) {
  fprintf(stderr, "packets: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static unsigned state = 20261123;
static unsigned next_random(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static int is6(enum kind kind) { return kind >= established6; }

// Public unicast addresses that no list of the benchmark holds (see lists.py): second octet 77,
// second group 7777.
static socklen_t destination(enum kind kind, unsigned index, struct sockaddr_storage *storage) {
  memset(storage, 0, sizeof *storage);
  unsigned scattered = index * 2654435761u;
  if (is6(kind)) {
    struct sockaddr_in6 *a = (struct sockaddr_in6 *)storage;
    a->sin6_family = AF_INET6;
    a->sin6_port = htons(443);
    inet_pton(AF_INET6, "2a0f:7777::1", &a->sin6_addr);
    memcpy(&a->sin6_addr.s6_addr[4], &scattered, 4);
    return sizeof *a;
  }
  struct sockaddr_in *a = (struct sockaddr_in *)storage;
  a->sin_family = AF_INET;
  a->sin_port = htons(443);
  // Spread over the first octets that ordinary traffic uses.
  static const unsigned char octets[] = {23, 31, 52, 54, 80, 91, 95, 99, 140, 151, 185, 213};
  a->sin_addr.s_addr =
    htonl((unsigned)octets[index % sizeof octets] << 24 | 77u << 16 | (scattered >> 8 & 0xffff));
  return sizeof *a;
}

static void run(const char *command) {
  if (system(command) != 0) {
    errno = EINVAL;
    fail(command);
  }
}

static void refuse_all(int tap) {
  struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  struct sock_fprog program = {1, &nothing};
  if (ioctl(tap, TUNATTACHFILTER, &program) < 0) fail("TUNATTACHFILTER");
}

static int open_tap(void) {
  int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (tap < 0) fail("/dev/net/tun");
  struct ifreq request = {0};
  strcpy(request.ifr_name, "sink");
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(tap, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  return tap;
}

static void swap(unsigned char *a, unsigned char *b, int length) {
  while (length--) {
    unsigned char kept = a[length];
    a[length] = b[length];
    b[length] = kept;
  }
}

// Takes one UDP packet off the device and sends it back where it came from: exchanging both
// ends leaves every checksum as it is.
static int answer_one(int tap) {
  unsigned char frame[2048], *packet = frame + ethernet;
  struct pollfd waiting = {tap, POLLIN, 0};
  for (int tries = 0; tries < 50; tries++) {
    if (poll(&waiting, 1, 200) != 1) return 0;
    ssize_t length = read(tap, frame, sizeof frame);
    int version = length > ethernet ? packet[0] >> 4 : 0;
    if (version == 4 && packet[9] == IPPROTO_UDP) {
      swap(packet + 12, packet + 16, 4);
      swap(packet + 20, packet + 22, 2);
    } else if (version == 6 && packet[6] == IPPROTO_UDP) {
      swap(packet + 8, packet + 24, 16);
      swap(packet + 40, packet + 42, 2);
    } else {
      continue;
    }
    return write(tap, frame, length) == length;
  }
  return 0;
}

// Sends a packet and answers it, so that conntrack calls the flow established. Once more where
// the kernel was still bringing the namespace's addresses up.
static void establish(struct ruleset *set, enum kind kind) {
  struct sockaddr_storage to;
  socklen_t length = destination(kind, 0, &to);
  char bytes[2048] = {0};
  for (int tries = 0; tries < 20; tries++) {
    if (sendto(set->sockets[kind], bytes, payload, 0, (void *)&to, length) < 0) fail(set->name);
    if (!answer_one(set->tap)) continue;
    struct pollfd waiting = {set->sockets[kind], POLLIN, 0};
    if (poll(&waiting, 1, 100) == 1 && recv(set->sockets[kind], bytes, sizeof bytes, 0) > 0)
      return;
  }
  errno = ETIMEDOUT;
  fail("no answer arrives");
}

static void open_ruleset(struct ruleset *set, char *argument, int rounds) {
  char *rules = strchr(argument, '=');
  if (!rules) fail("NAME=RULES expected");
  *rules++ = 0;
  set->name = argument;
  if (unshare(CLONE_NEWNET) < 0) fail("unshare");
  set->tap = open_tap();
  run("ip link set lo up && ip address add 198.18.0.1/24 dev sink && "
      "ip -6 address add fd00:18::1/64 dev sink nodad && ip link set sink arp off up && "
      "ip route add default via 198.18.0.2 && ip -6 route add default via fd00:18::2");
  for (int kind = 0; kind < kindCount; kind++) {
    set->sockets[kind] = socket(is6(kind) ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    if (set->sockets[kind] < 0) fail("socket");
    set->samples[kind] = calloc(rounds, sizeof(double));
  }
  if (*rules) {
    char command[4096];
    snprintf(command, sizeof command, "nft -f '%s'", rules);
    run(command);
  }
  establish(set, established4);
  establish(set, established6);
  refuse_all(set->tap);
}

static double batch(struct ruleset *set, enum kind kind, int count) {
  static struct sockaddr_storage to[destinationCount];
  char bytes[payload] = {0};
  int varies = kind == many4 || kind == many6, fresh = kind == first4 || kind == first6;
  socklen_t length = 0;
  int distinct = varies || fresh ? count : 1;
  for (int i = 0; i < distinct; i++) {
    unsigned index = varies ? set->next[kind]++ % destinationCount
                     : fresh ? destinationCount + set->next[kind]++ : 0;
    length = destination(kind, index, &to[i]);
  }
  // The other namespaces have had the cache since the last batch.
  int untimed = fresh ? 0 : count / 8, refused = 0;
  double start = now();
  for (int i = 0; i < count; i++) {
    if (i == untimed) start = now();
    refused |= sendto(set->sockets[kind], bytes, payload, 0,
                      (void *)&to[distinct == 1 ? 0 : i], length) < 0;
  }
  double elapsed = now() - start;
  if (refused) fail(set->name);
  return elapsed / (count - untimed);
}

int main(int count, char **arguments) {
  if (count < 4) {
    fprintf(stderr, "usage: packets ROUNDS BATCH NAME=RULES.nft ...\n");
    return 64;
  }
  int rounds = atoi(arguments[1]), size = atoi(arguments[2]), cases = count - 3;
  if (rounds < 7 || size < 1 || size > destinationCount || cases > maximumCases) {
    errno = ERANGE;
    fail("arguments");
  }
  static struct ruleset sets[maximumCases];
  for (int i = 0; i < cases; i++) open_ruleset(&sets[i], arguments[i + 3], rounds);

  for (int kind = 0; kind < kindCount; kind++) {
    int fresh = kind == first4 || kind == first6;
    // A first packet makes a conntrack entry, and those are bounded.
    int packets = fresh ? size / 8 + 1 : size, order[maximumCases];
    for (int i = 0; i < cases; i++) order[i] = i;
    int varies = kind == many4 || kind == many6;
    for (int warm = varies ? destinationCount / size + 1 : 2; warm > 0; warm--)
      for (int i = 0; i < cases; i++) batch(&sets[i], kind, packets);
    for (int round = 0; round < rounds; round++) {
      for (int i = cases - 1; i > 0; i--) {
        int j = next_random() % (i + 1), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
      }
      for (int i = 0; i < cases; i++)
        sets[order[i]].samples[kind][round] = batch(&sets[order[i]], kind, packets);
    }
  }

  for (int kind = 0; kind < kindCount; kind++)
    for (int i = 0; i < cases; i++) {
      printf("%s %s", kindNames[kind], sets[i].name);
      for (int round = 0; round < rounds; round++) printf(" %.1f", sets[i].samples[kind][round]);
      printf("\n");
    }
  return 0;
}
