import LinuxSystem
import TestSupport

extension ThrowAwayNamespace {
  /// Runs a body in a namespace with a way out of both families, to 192.0.2.9 and 2001:db8::9.
  static func linked(_ body: () throws -> Void) throws {
    try run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run(
        "ip addr add 192.0.2.2/24 dev eth0 && ip -6 addr add 2001:db8::2/64 dev eth0 nodad")
      try HostPlant.run("ip link set eth0 up && ip link set eth1 up")
      try HostPlant.run(
        "ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:01 dev eth0 nud permanent"
          + " && ip -6 neigh add 2001:db8::9 lladdr 02:00:00:00:00:01 dev eth0 nud permanent")
      try body()
    }
  }
}
