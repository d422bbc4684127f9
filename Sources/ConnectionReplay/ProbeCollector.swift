import NetworkTypes

/// Collects the probes of a plan up to its cap, none twice.
///
/// A probe of the product of protocols, ports and addresses is remembered by its place in the
/// product, which costs a tenth of remembering the probe.
struct ProbeCollector {
  private(set) var probes: [Probe] = []
  private(set) var omittedCount = 0

  private let cap: Int
  private let interest: ProbePlan.Interest
  private var others: Set<Probe> = []
  private var taken: Set<Int> = []

  /// Starts with nothing; values that an interest lists twice count once.
  init(_ interest: ProbePlan.Interest, cap: Int) {
    self.cap = cap
    var interest = interest
    interest.protocols = ProbeCollector.unique(interest.protocols)
    interest.ports = ProbeCollector.unique(interest.ports)
    interest.addresses = ProbeCollector.unique(interest.addresses)
    self.interest = interest
  }

  mutating func addShapes() {
    for target in interest.shapeTargets {
      add(Probe(target))
      for shape in ProbeShape.ugly(for: target) { add(Probe(target, shape: shape)) }
      for foreign in interest.foreignProtocols {
        var flow = target
        flow.ipProtocol = foreign
        if !foreign.hasPorts {
          flow.remotePort = nil
          flow.localPort = nil
        }
        add(Probe(flow))
      }
    }
  }

  /// Every address with every protocol, the ports taken in turn.
  mutating func addEveryAddress() {
    guard !interest.ports.isEmpty else { return }
    for address in interest.addresses.indices {
      for ipProtocol in interest.protocols.indices {
        add(ipProtocol, address % interest.ports.count, address)
      }
    }
  }

  /// Every port with every protocol at some of the addresses.
  mutating func addEveryPort() {
    for address in representatives {
      for port in interest.ports.indices {
        for ipProtocol in interest.protocols.indices { add(ipProtocol, port, address) }
      }
    }
  }

  /// Every local port and every inbound port at some of the addresses.
  mutating func addLocalEnds() {
    for address in representatives.map({ interest.addresses[$0] }) {
      for ipProtocol in interest.protocols {
        for local in interest.localPorts {
          let port = ipProtocol.hasPorts ? interest.ports.first : nil
          add(
            Probe(
              Flow(
                ipProtocol: ipProtocol, localPort: local, remoteAddress: address,
                remotePort: port, isLinkBroadcast: interest.linkBroadcasts.contains(address))))
        }
        for local in interest.inboundPorts {
          add(
            Probe(
              Flow(
                direction: .inbound, ipProtocol: ipProtocol, localPort: local,
                remoteAddress: address)))
        }
      }
    }
  }

  /// Visits the whole product in steps that spread over it, so that a cap leaves no address out.
  mutating func addProduct() {
    let (protocolCount, portCount) = (interest.protocols.count, interest.ports.count)
    let total = protocolCount * portCount * interest.addresses.count
    guard total > 0 else { return }
    var step = max(1, total / 1618 * 1000)
    while !ProbeCollector.isCoprime(step, total) { step += 1 }
    var place = 0
    for _ in 0..<total {
      if probes.count >= cap {
        omittedCount += memberCount - taken.count
        return
      }
      add(
        place % protocolCount, place / protocolCount % portCount,
        place / protocolCount / portCount)
      place = (place + step) % total
    }
  }

  /// How many different probes the product has: protocols without ports have one per address.
  private var memberCount: Int {
    interest.protocols.reduce(0) {
      $0 + ($1.hasPorts ? interest.ports.count : 1) * interest.addresses.count
    }
  }

  /// Adds a member of the product, given by its place in the three lists.
  private mutating func add(_ ipProtocol: Int, _ port: Int, _ address: Int) {
    let hasPorts = interest.protocols[ipProtocol].hasPorts
    guard taken.insert(place(ipProtocol, hasPorts ? port : 0, address)).inserted else { return }
    let remote = interest.addresses[address]
    append(
      Probe(
        Flow(
          ipProtocol: interest.protocols[ipProtocol], remoteAddress: remote,
          remotePort: hasPorts ? interest.ports[port] : nil,
          isLinkBroadcast: interest.linkBroadcasts.contains(remote))))
  }

  /// Adds any probe; one that is a member of the product too takes its place there.
  private mutating func add(_ probe: Probe) {
    guard others.insert(probe).inserted else { return }
    let flow = probe.flow
    if let ipProtocol = interest.protocols.firstIndex(of: flow.ipProtocol),
      let address = interest.addresses.firstIndex(of: flow.remoteAddress),
      let port = flow.remotePort.map({ interest.ports.firstIndex(of: $0) }) ?? 0
    {
      let plain = Flow(
        ipProtocol: flow.ipProtocol, remoteAddress: flow.remoteAddress,
        remotePort: flow.remotePort,
        isLinkBroadcast: interest.linkBroadcasts.contains(flow.remoteAddress))
      if probe == Probe(plain), !taken.insert(place(ipProtocol, port, address)).inserted {
        return
      }
    }
    append(probe)
  }

  private mutating func append(_ probe: Probe) {
    if probes.count < cap { probes.append(probe) } else { omittedCount += 1 }
  }

  private func place(_ ipProtocol: Int, _ port: Int, _ address: Int) -> Int {
    (address * interest.ports.count + port) * interest.protocols.count + ipProtocol
  }

  /// At most eight places of addresses per family, evenly spread.
  private var representatives: [Int] {
    Family.allCases.flatMap { family in
      let own = interest.addresses.indices.filter { interest.addresses[$0].family == family }
      let step = max(1, (own.count + 7) / 8)
      return stride(from: 0, to: own.count, by: step).map { own[$0] }
    }
  }

  private static func unique<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    return values.filter { seen.insert($0).inserted }
  }

  private static func isCoprime(_ a: Int, _ b: Int) -> Bool {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a == 1
  }
}
