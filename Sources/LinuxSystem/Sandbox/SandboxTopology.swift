import ConnectionReplay
import Glibc
import NetworkTypes

/// Two fresh network namespaces: a host under test, and an outside that plays the whole Internet.
///
/// ```
///   inside                                  outside
///   eth0 198.18.77.2, 192.175.48.2,   ───   eth0 198.18.77.1, 2001:db8:77::1
///        2001:db8:77::2                     every other address of both families is local
///   default routes by the router            (answering), or nothing is (silent)
/// ```
///
/// Neighbours are permanent, so nobody asks for a hardware address. All of it is made by netlink
/// from inside this process, in 3 to 8 ms, and is gone when the value and its sockets are.
public final class SandboxTopology: Sendable {
  /// How the outside takes what reaches it.
  public enum Outside: Hashable, Sendable {
    /// It has every address, so that connections to anywhere meet somebody.
    case answering
    /// Frames are addressed to nobody, so they are seen on the wire and cost nothing beyond.
    case silent
  }

  /// The name of the link at both ends, where nothing else is asked for.
  public static let linkName = "eth0"

  /// The name of the inside's link.
  private let insideName: String

  /// Where the rules under test are loaded and the probes are sent.
  public let inside: NetworkNamespace
  /// Where the servers and the witness are.
  public let outside: NetworkNamespace
  /// The addresses of both ends.
  public let addresses: SandboxAddresses
  /// The number of the inside's link, the scope of link-local destinations.
  public let insideLinkIndex: UInt32
  /// The number of the outside's link.
  let outsideLinkIndex: UInt32

  /// Makes both namespaces and waits until packets pass.
  ///
  /// - Parameters:
  ///   - outsideKind: how the outside takes what reaches it.
  ///   - addresses: of both ends.
  ///   - insideName: the name of the inside's link, at most 15 bytes.
  /// - Throws: ``LinuxError/refused(operation:errno:)``, with EPERM where the thread may not make
  ///   namespaces: see ``UserNamespace/enter()``. ``LinuxError/linkStaysDown(_:)``.
  public init(
    _ outsideKind: Outside = .answering, addresses: SandboxAddresses = SandboxAddresses(),
    insideLink insideName: String = SandboxTopology.linkName
  ) throws(LinuxError) {
    let inside = try NetworkNamespace.make()
    let outside = try NetworkNamespace.make()
    let name = SandboxTopology.linkName
    try inside.visit { () throws(LinuxError) in
      let routes = try RouteSocket()
      try routes.setUp(try routes.existingLink("lo"))
      try routes.makePair(
        PairEnd(name: insideName, hardwareAddress: insideHardware),
        PairEnd(name: name, hardwareAddress: outsideHardware), in: outside)
    }
    let outsideLink = try outside.visit { () throws(LinuxError) in
      try SandboxTopology.configureOutside(addresses, outsideKind)
    }
    let insideLink = try inside.visit { () throws(LinuxError) in
      try SandboxTopology.configureInside(
        addresses, insideName,
        router: outsideKind == .answering ? outsideHardware : nobodysHardware)
    }
    self.inside = inside
    self.insideName = insideName
    self.outside = outside
    self.addresses = addresses
    insideLinkIndex = UInt32(insideLink.index)
    outsideLinkIndex = UInt32(outsideLink.index)
    try awaitOperational()
  }

  /// Runs a body in the outside namespace.
  ///
  /// The place to install the rule that sends every port to one server: `redirect to :port` in a
  /// nat chain of prerouting, for TCP and UDP, both families.
  /// - Throws: what the body throws, or ``LinuxError/refused(operation:errno:)``.
  public func installRedirect(to port: UInt16, _ install: (UInt16) throws -> Void) throws {
    try outside.run {
      try NetworkNamespace.assertThrowAway()
      try install(port)
    }
  }

  private static func configureOutside(
    _ addresses: SandboxAddresses, _ kind: Outside
  ) throws(LinuxError) -> NetworkLink {
    let routes = try RouteSocket()
    let loopback = try routes.existingLink("lo")
    let link = try routes.existingLink(linkName)
    try routes.setUp(loopback)
    try routes.disableGeneratedAddresses(link)
    try routes.setUp(link)
    guard kind == .answering else { return link }
    for family in Family.allCases {
      let bits = family.addressBits
      let inside = addresses.inside(family)
      let everything: IPAddress = family == .ipv4 ? .v4(0) : .v6(0)
      try routes.addAddress(addresses.outside(family), prefixLength: bits, to: link)
      // More specific than the catch-all and in the same table: else replies would stay on lo.
      try routes.addRoute(inside, prefixLength: bits, by: link, table: 255)
      try routes.addRoute(everything, prefixLength: 0, by: loopback, kind: .local, table: 255)
      try routes.addNeighbour(inside, hardwareAddress: insideHardware, on: link)
    }
    let second = IPAddress.v4(addresses.second4)
    try routes.addRoute(second, prefixLength: 32, by: link, table: 255)
    try routes.addNeighbour(second, hardwareAddress: insideHardware, on: link)
    return link
  }

  private static func configureInside(
    _ addresses: SandboxAddresses, _ name: String, router: [UInt8]
  ) throws(LinuxError) -> NetworkLink {
    let routes = try RouteSocket()
    let link = try routes.existingLink(name)
    try routes.disableGeneratedAddresses(link)
    try routes.setUp(link)
    try routes.addAddress(.v4(addresses.inside4), prefixLength: 24, to: link)
    try routes.addAddress(.v4(addresses.second4), prefixLength: 24, to: link)
    try routes.addAddress(.v6(addresses.inside6), prefixLength: 128, to: link)
    for family in Family.allCases {
      let gateway = addresses.outside(family)
      let everything: IPAddress = family == .ipv4 ? .v4(0) : .v6(0)
      try routes.addNeighbour(gateway, hardwareAddress: router, on: link)
      try routes.addRoute(everything, prefixLength: 0, by: link, gateway: gateway)
    }
    return link
  }

  /// Asks for both links until they carry packets.
  ///
  /// A link that was just turned on loses packets until the kernel's link watch has run; asking
  /// for it makes the kernel run it now.
  private func awaitOperational() throws(LinuxError) {
    for attempt in 0..<1000 {
      var isReady = true
      for (namespace, name) in [(outside, SandboxTopology.linkName), (inside, insideName)] {
        let link = try namespace.visit { () throws(LinuxError) in
          try RouteSocket().link(named: name)
        }
        isReady = isReady && link?.isOperational == true
      }
      if isReady { return }
      if attempt > 0 { usleep(1000) }
    }
    throw .linkStaysDown(insideName)
  }
}

extension RouteSocket {
  /// The link of that name, which must be there.
  func existingLink(_ name: String) throws(LinuxError) -> NetworkLink {
    guard let link = try link(named: name) else { throw .linkStaysDown(name) }
    return link
  }
}

extension Family {
  /// The bits of an address, 32 or 128.
  var addressBits: UInt8 { self == .ipv4 ? 32 : 128 }
}

private let insideHardware: [UInt8] = [2, 0, 0, 0, 0, 2]
private let outsideHardware: [UInt8] = [2, 0, 0, 0, 0, 1]
private let nobodysHardware: [UInt8] = [2, 0, 0, 0, 0, 9]
