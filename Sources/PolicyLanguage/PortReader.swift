public import NetworkTypes

/// Reads `25`, `tcp/465`, `6000-6010`, `udp/6000-6010`, `icmp`, or a list of these.
extension DiagnosticLog {
  /// The matches of `port:`, one per protocol, in order of first mention; nil after an error.
  func ports(_ node: SyntaxNode) -> [PortMatch]? {
    guard let items = items(node, "port", orOne: true) else { return nil }
    var order: [IPProtocol?] = []
    var intervals: [IPProtocol?: [Interval<UInt16>]] = [:]
    var whole: Set<IPProtocol> = []
    var isGood = true
    for item in items {
      guard let (ipProtocol, interval) = port(item) else {
        isGood = false
        continue
      }
      if !order.contains(ipProtocol) { order.append(ipProtocol) }
      if let interval {
        intervals[ipProtocol, default: []].append(interval)
      } else if let ipProtocol {
        whole.insert(ipProtocol)
      }
    }
    guard isGood else { return nil }
    return order.map { ipProtocol in
      let isWhole = ipProtocol.map(whole.contains) ?? false
      return PortMatch(
        ipProtocol: ipProtocol,
        ports: isWhole ? nil : PortSet(intervals[ipProtocol] ?? []))
    }
  }

  private func port(_ node: SyntaxNode) -> (IPProtocol?, Interval<UInt16>?)? {
    guard let text = text(node, "a port like `25` or `tcp/465`") else { return nil }
    guard let slash = text.firstIndex(of: "/") else {
      if text.first?.isLetter == true {
        guard let ipProtocol = namedProtocol(text, node) else { return nil }
        return (ipProtocol, nil)
      }
      return portRange(text[...], node).map { (nil, $0) }
    }
    let head = String(text[..<slash])
    let tail = text[text.index(after: slash)...]
    if Int(head) != nil, IPProtocol(text: tail)?.hasPorts == true {
      error(.invalidPort, "`\(text)` is no port", at: node, .init("write `\(tail)/\(head)`"))
      return nil
    }
    guard let ipProtocol = namedProtocol(head, node) else { return nil }
    guard ipProtocol.hasPorts else {
      error(
        .invalidPort, "protocol \(ipProtocol) has no ports", at: node,
        .init("write `\(ipProtocol)` alone for all of it"))
      return nil
    }
    return portRange(tail.isEmpty ? text[...] : tail, node).map { (ipProtocol, $0) }
  }

  /// Reads `465` or `6000-6010`.
  func portRange(_ text: Substring, _ node: SyntaxNode) -> Interval<UInt16>? {
    let bounds = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
      .map { $0.filter { $0 != " " } }
    let numbers = bounds.compactMap { bound in UInt16(bound).flatMap { "\($0)" == bound ? $0 : nil }
    }
    guard numbers.count == bounds.count, let first = numbers.first, let last = numbers.last else {
      let trap = yamlTrap(String(text))
      error(
        trap == nil ? .invalidPort : .ambiguousScalar, "`\(text)` is no port", at: node, trap,
        trap == nil
          ? .init("write `25`, `tcp/465`, `6000-6010` or a protocol alone, ports 0 to 65535") : nil)
      return nil
    }
    guard first <= last else {
      error(
        .invalidPort, "port range `\(text)` is reversed", at: node,
        .init("write `\(last)-\(first)`"))
      return nil
    }
    return Interval(first, last)
  }

  /// A protocol by lower-case name or number.
  func namedProtocol(_ text: String, _ node: SyntaxNode) -> IPProtocol? {
    if let ipProtocol = IPProtocol(text: text) { return ipProtocol }
    let trap = yamlTrap(text)
    error(
      trap == nil ? .invalidProtocol : .ambiguousScalar, "unknown protocol `\(text)`", at: node,
      trap ?? didYouMean(text, among: IPProtocol.names.map(\.0))
        ?? .init("write a name like `tcp`, `udp`, `icmp`, or its number from 0 to 255"))
    return nil
  }

  /// `protocols: [tcp, udp]`, ascending and without repetition.
  func protocols(_ field: Field?) -> Sourced<[IPProtocol]>? {
    guard let node = field?.value,
      let items = items(node, "protocol", orOne: true)
    else { return nil }
    var found: Set<IPProtocol> = []
    for item in items {
      guard let text = text(item, "a protocol"), let value = namedProtocol(text, item) else {
        continue
      }
      if !found.insert(value).inserted {
        error(.invalidProtocol, "protocol `\(text)` is listed twice", at: item)
      }
    }
    return Sourced(found.sorted(), at: node.location)
  }

  /// `source-ports:`; nil inside for `any`.
  func sourcePorts(_ field: Field?) -> Sourced<PortSet?>? {
    guard let node = field?.value else { return nil }
    switch node.scalar {
    case "any": return Sourced(nil, at: node.location)
    case "ephemeral": return Sourced(PortSet.ephemeral, at: node.location)
    default: break
    }
    guard let items = items(node, "port", orOne: true) else { return nil }
    let ranges = items.compactMap { item -> Interval<UInt16>? in
      guard let text = text(item, "a port") else { return nil }
      if text == "any" || text == "ephemeral" || text.first?.isLetter == true {
        error(
          .invalidValue, "`\(text)` is no port", at: item,
          .init("write `ephemeral`, `any`, or a list of ports and ranges"))
        return nil
      }
      return portRange(text[...], item)
    }
    return Sourced(PortSet(ranges), at: node.location)
  }
}

extension PortSet {
  /// 32768…60999: where Linux picks local ports when nobody chose one.
  ///
  /// Source: `net.ipv4.ip_local_port_range`, Documentation/networking/ip-sysctl.rst.
  public static var ephemeral: PortSet { PortSet([Interval(32768, 60999)]) }
}
