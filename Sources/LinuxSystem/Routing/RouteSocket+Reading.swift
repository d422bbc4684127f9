import CLinux
import ConnectionReplay
public import NetworkTypes

extension RouteSocket {
  /// Every link of the namespace, by index.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public func links() throws(LinuxError) -> [NetworkLink] {
    try dump("list links", RTM_GETLINK).compactMap { NetworkLink($0) }.sorted {
      $0.index < $1.index
    }
  }

  /// The link of that name, nil when there is none.
  ///
  /// Asking also makes the kernel bring a pending change of carrier into effect.
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public func link(named name: String) throws(LinuxError) -> NetworkLink? {
    do throws(LinuxError) {
      return try exchange("look up link \(name)", type: Int(RTM_GETLINK), flags: 0) {
        $0.appendLinkHeader()
        $0.attribute(Int(IFLA_IFNAME), text: name)
      }.lazy.compactMap { NetworkLink($0) }.first
    } catch .refused(_, ErrorNumber(rawValue: 19)) {
      return nil
    }
  }

  /// Every address of the namespace, both families, in the kernel's order.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public func addresses() throws(LinuxError) -> [LinkAddress] {
    try dump("list addresses", RTM_GETADDR).compactMap { LinkAddress($0) }
  }

  /// Every route of the namespace in every table, both families, in the kernel's order.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public func routes() throws(LinuxError) -> [Route] {
    try dump("list routes", RTM_GETROUTE).compactMap { Route($0) }
  }

  /// The directed broadcast addresses that routes of this namespace name, ascending.
  ///
  /// `fib daddr type broadcast` in a rule matches these and 255.255.255.255.
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public func broadcastAddresses() throws(LinuxError) -> [IPAddress] {
    Set(try routes().filter { $0.kind == .broadcast }.map { $0.destination }).sorted()
  }

  func dump(_ operation: String, _ type: some BinaryInteger) throws(LinuxError)
    -> [RouteReply]
  {
    try exchange(operation, type: Int(type), flags: NLM_F_DUMP) { $0.appendLinkHeader() }
  }
}
