import HostFacts
import NetworkTypes

extension HostState {
  /// Reads links, addresses, routes, rules and classifiers of the calling thread's namespace.
  mutating func readNetwork() {
    links = RouteSocket.hostLinks()
    addresses = RouteSocket.list("list addresses", 22) { HostAddress($0) }.map {
      $0.sorted { ($0.link, $0.address, $0.prefixLength) < ($1.link, $1.address, $1.prefixLength) }
    }
    routes = RouteSocket.list("list routes", 26) { HostRoute($0) }.map {
      $0.sorted { $0.order < $1.order }
    }
    routingRules = RouteSocket.list("list routing rules", 34) { RoutingRule($0) }.map {
      $0.enumerated().sorted {
        ($0.element.family, $0.element.priority, $0.offset)
          < ($1.element.family, $1.element.priority, $1.offset)
      }.map(\.element)
    }
    trafficFilters = HostReading.fact { try RouteSocket().trafficFilters() }
  }
}

extension RouteSocket {
  /// Every link of the calling thread's namespace, by index.
  static func hostLinks() -> Fact<[HostLink]> {
    list("list links", 18) { HostLink($0) }.map { $0.sorted { $0.index < $1.index } }
  }

  /// Dumps one kind of object; unknown when the kernel refuses or a message is not understood.
  fileprivate static func list<Item>(
    _ operation: String, _ type: Int, _ read: (RouteReply) -> Item?
  ) -> Fact<[Item]> {
    HostReading.fact {
      try RouteSocket().dump(operation, type).compactMap { reply in
        // Bridges, MPLS and multicast routing answer to the same requests, as other families.
        if let family = reply.payload.first, ![0, 2, 10].contains(family) { return nil }
        guard let item = read(reply) else {
          throw LinuxError.malformedReply(operation: operation)
        }
        return item
      }
    }
  }
}

extension HostRoute {
  /// Family, table, destination, length, metric: what makes a route one of its own, nearly.
  fileprivate var order: RouteOrder {
    RouteOrder(
      table: table, destination: destination, prefixLength: prefixLength, metric: metric,
      kind: kind, link: hops.first?.link ?? 0)
  }
}

private struct RouteOrder: Comparable {
  var table: UInt32
  var destination: IPAddress
  var prefixLength: UInt8
  var metric: UInt32
  var kind: UInt8
  var link: Int32

  static func < (left: RouteOrder, right: RouteOrder) -> Bool {
    if left.table != right.table { return left.table < right.table }
    if left.destination != right.destination { return left.destination < right.destination }
    return (left.prefixLength, left.metric, left.kind, left.link)
      < (right.prefixLength, right.metric, right.kind, right.link)
  }
}
