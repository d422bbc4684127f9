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
/// Routed, a third one is between them, as a host is that forwards for a machine:
///
/// ```
///   inside            filter                     outside
///   eth0   ───   tenant0   eth0   ───   eth0
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

  /// The name of the link behind which a router has the inside.
  public static let tenantLinkName = "tenant0"

  /// The name of the inside's link.
  private let insideName: String

  /// Where the probes are sent.
  public let inside: NetworkNamespace
  /// Where the rules under test are loaded: the router where there is one, else the inside.
  public let filter: NetworkNamespace
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
  ///   - isRouted: whether a router stands between both.
  /// - Throws: ``LinuxError/refused(operation:errno:)``, with EPERM where the thread may not make
  ///   namespaces: see ``UserNamespace/enter()``. ``LinuxError/linkStaysDown(_:)``.
  public init(
    _ outsideKind: Outside = .answering, addresses: SandboxAddresses = SandboxAddresses(),
    insideLink insideName: String = SandboxTopology.linkName, isRouted: Bool = false
  ) throws(LinuxError) {
    let inside = try NetworkNamespace.make()
    let outside = try NetworkNamespace.make()
    let filter = isRouted ? try NetworkNamespace.make() : inside
    let router = outsideKind == .answering ? outsideHardware : nobodysHardware
    let name = SandboxTopology.linkName
    let outer = PairEnd(name: name, hardwareAddress: outsideHardware)
    let inner = PairEnd(name: insideName, hardwareAddress: insideHardware)
    try inside.visit { () throws(LinuxError) in
      let routes = try RouteSocket()
      try routes.setUp(try routes.existingLink("lo"))
      let tenant = PairEnd(
        name: SandboxTopology.tenantLinkName, hardwareAddress: tenantHardware)
      try routes.makePair(inner, isRouted ? tenant : outer, in: isRouted ? filter : outside)
    }
    if isRouted {
      try filter.visit { () throws(LinuxError) in
        let routes = try RouteSocket()
        try routes.setUp(try routes.existingLink("lo"))
        try routes.makePair(
          PairEnd(name: name, hardwareAddress: forwardingHardware), outer, in: outside)
        try SandboxTopology.configureRouter(addresses, toward: router)
      }
    }
    let outsideLink = try outside.visit { () throws(LinuxError) in
      try SandboxTopology.configureOutside(
        addresses, outsideKind, inside: isRouted ? forwardingHardware : insideHardware)
    }
    let insideLink = try inside.visit { () throws(LinuxError) in
      try SandboxTopology.configureInside(
        addresses, insideName, router: isRouted ? tenantHardware : router)
    }
    self.inside = inside
    self.filter = filter
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
    _ addresses: SandboxAddresses, _ kind: Outside, inside hardware: [UInt8]
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
      try routes.addNeighbour(inside, hardwareAddress: hardware, on: link)
    }
    let second = IPAddress.v4(addresses.second4)
    try routes.addRoute(second, prefixLength: 32, by: link, table: 255)
    try routes.addNeighbour(second, hardwareAddress: hardware, on: link)
    return link
  }

  private static func configureRouter(
    _ addresses: SandboxAddresses, toward router: [UInt8]
  ) throws(LinuxError) {
    let routes = try RouteSocket()
    let tenant = try routes.existingLink(tenantLinkName)
    let link = try routes.existingLink(linkName)
    for each in [tenant, link] {
      try routes.disableGeneratedAddresses(each)
      try routes.setUp(each)
    }
    for address in [.v4(addresses.inside4), .v4(addresses.second4), .v6(addresses.inside6)]
      as [IPAddress]
    {
      let bits = address.family.addressBits
      try routes.addRoute(address, prefixLength: bits, by: tenant)
      try routes.addNeighbour(address, hardwareAddress: insideHardware, on: tenant)
    }
    for family in Family.allCases {
      let gateway = addresses.outside(family)
      let everything: IPAddress = family == .ipv4 ? .v4(0) : .v6(0)
      try routes.addRoute(gateway, prefixLength: family.addressBits, by: link)
      try routes.addNeighbour(gateway, hardwareAddress: router, on: link)
      try routes.addRoute(everything, prefixLength: 0, by: link, gateway: gateway)
    }
    // The thread is in the router, so these are its own settings.
    for setting in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] {
      try ThrowAwaySetting.write("1", to: setting)
    }
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
    let name = SandboxTopology.linkName
    var ends = [(outside, name), (inside, insideName)]
    if filter !== inside {
      ends += [(filter, SandboxTopology.tenantLinkName), (filter, name)]
    }
    for attempt in 0..<1000 {
      var isReady = true
      for (namespace, name) in ends {
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
private let tenantHardware: [UInt8] = [2, 0, 0, 0, 0, 3]
private let forwardingHardware: [UInt8] = [2, 0, 0, 0, 0, 4]
private let nobodysHardware: [UInt8] = [2, 0, 0, 0, 0, 9]
