import Bytecode
import NetworkTypes
import PacketSets

/// NAT statements; each ends its chain, and the packet goes on changed.
///
/// Taken for granted is that the kernel finds room for the translation.
extension SymbolicAnalyzer {
  /// Source: `nft_nat_eval`, `net/netfilter/nft_nat.c`.
  mutating func step(
    _ nat: NAT, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    var path = path
    if nat.family == .ip || nat.family == .ip6 {
      // In an inet table the statement passes over packets of the other family.
      let own = try diagrams.set(.family, nat.family == .ip ? 0 : 1)
      var other = path
      other.packets = try diagrams.difference(path.packets, own)
      if other.packets != .nothing { next.append(other) }
      path.packets = try diagrams.intersection(path.packets, own)
      guard path.packets != .nothing else { return }
    }
    let isPrefix = nat.flags.contains(.netmap) || nat.flags.contains(.portOffset)
    let address = nat.address.map { low in
      isPrefix ? nil : addresses(low, nat.addressMax, nat.family == .ip6 ? 16 : 4, path)
    }
    let port = isPrefix ? nil : ports(nat.port, nat.portMax, path)
    if nat.kind == .source {
      try translateSource(path, address, nat.port == nil ? nil : port, &run)
      return
    }
    try translateDestination(
      path, address, nat.port != nil || isPrefix ? port ?? .any(.destinationPort) : nil,
      isIPv4: nat.family == .ip, &run)
  }

  /// New destination address and port; nil where they stay, and an inner nil for any address.
  mutating func translateDestination(
    _ path: RulePath, _ address: Interval<UInt128>??, _ port: FieldChange?, isIPv4: Bool,
    _ run: inout RuleRun
  ) throws(PacketSetError) {
    var fields: [PacketField: FieldChange] = [:]
    if let address {
      fields = words(address, PacketField.destination, isIPv4)
      fields[.destinationType] = .any(.destinationType)
    }
    let why = [cause("the address or port that dnat picks")]
    try finish(
      path, fields, ports: port.map { [.destinationPort: $0] } ?? [:], why, isRerouted: true, &run)
  }

  /// New source address and port; nil stands for any.
  mutating func translateSource(
    _ path: RulePath, _ address: Interval<UInt128>??, _ port: FieldChange?, _ run: inout RuleRun
  ) throws(PacketSetError) {
    for family in [0, 1] as [UInt32] {
      var part = path
      part.packets = try diagrams.intersection(path.packets, diagrams.set(.family, family))
      guard part.packets != .nothing else { continue }
      var fields = words(address ?? nil, PacketField.source, family == 0)
      fields[.sourceType] = .any(.sourceType)
      let why = [cause("the source that snat picks")]
      try finish(
        part, fields, ports: [.sourcePort: port ?? .any(.sourcePort)], why, isRerouted: false,
        &run)
    }
  }

  /// `redirect`: the flow goes to an address of this host.
  ///
  /// Source: `nf_nat_redirect_ipv4`, `nf_nat_redirect_ipv6`, `net/netfilter/nf_nat_redirect.c`.
  mutating func step(
    _ redirect: Redirect, _ path: RulePath, _ run: inout RuleRun
  ) throws(PacketSetError) {
    let port = ports(redirect.port, redirect.portMax, path)
    try stepRedirect(
      redirect.port == nil ? nil : port ?? .any(.destinationPort), path, &run)
  }

  /// To this host, and to the port if there is one.
  mutating func stepRedirect(
    _ port: FieldChange?, _ path: RulePath, _ run: inout RuleRun
  ) throws(PacketSetError) {
    let isOutput = run.context.hook == .output
    for (family, loopback) in [(0, 0x7f00_0001), (1, 1)] as [(UInt32, UInt128)] {
      var part = path
      part.packets = try diagrams.intersection(path.packets, diagrams.set(.family, family))
      guard part.packets != .nothing else { continue }
      let address = isOutput ? Interval(loopback, loopback) : nil
      var fields = words(address, PacketField.destination, family == 0)
      fields[.destinationType] = .constant(2)
      try finish(
        part, fields, ports: port.map { [.destinationPort: $0] } ?? [:],
        [cause("the address or port that redirect picks")], isRerouted: true, &run)
    }
  }

  /// Ends a path with a translation; ports change where the protocol has some, and of ICMP the
  /// checksum, which lies where a destination port would.
  private mutating func finish(
    _ path: RulePath, _ fields: [PacketField: FieldChange],
    ports: [PacketField: FieldChange], _ causes: [Int32], isRerouted: Bool, _ run: inout RuleRun
  ) throws(PacketSetError) {
    let numbers = (0...255).filter { IPProtocol(rawValue: UInt8($0)).hasPorts }.map(UInt32.init)
    let withPorts = try diagrams.set(
      .transportProtocol, IntervalSet(numbers.map { Interval($0, $0) }))
    let messages = try diagrams.set(
      .transportProtocol, IntervalSet([Interval(1, 1), Interval(58, 58)]))
    let others = try diagrams.complement(diagrams.union(withPorts, messages))
    for (packets, more) in [
      (withPorts, ports), (messages, [.destinationPort: .any(.destinationPort)]), (others, [:]),
    ] as [(Diagram, [PacketField: FieldChange])] {
      var part = path
      part.packets = try diagrams.intersection(path.packets, packets)
      guard part.packets != .nothing else { continue }
      assign(fields.merging(more) { $1 }, causes, &part)
      part.change.isRerouted = part.change.isRerouted || isRerouted
      part.change.isTranslated = true
      end(part, Outcome(accepts: [table.number(part.change)]), &run)
    }
  }

  /// The addresses between two registers; nil when they are not constant.
  private func addresses(
    _ low: Register, _ high: Register?, _ length: Int, _ path: RulePath
  ) -> Interval<UInt128>? {
    func number(_ register: Register) -> UInt128? {
      path.registers.load(register.word, lengthBytes: length).bytes.map {
        $0.reduce(0) { $0 << 8 | UInt128($1) }
      }
    }
    guard let first = number(low), let last = high.map(number) ?? first, first <= last else {
      return nil
    }
    return Interval(first, last)
  }

  /// The ports between two registers; nil without a port or when they are not constant.
  func ports(_ low: Register?, _ high: Register?, _ path: RulePath) -> FieldChange? {
    func number(_ register: Register) -> UInt32? {
      path.registers.load(register.word, lengthBytes: 2).bytes.map {
        UInt32($0[0]) << 8 | UInt32($0[1])
      }
    }
    guard let low, let first = number(low), let last = high.map(number) ?? first, first <= last
    else { return nil }
    return .among(Interval(first, last))
  }

  /// An address, or any, as what four words become.
  private func words(
    _ address: Interval<UInt128>?, _ fields: [PacketField], _ isIPv4: Bool
  ) -> [PacketField: FieldChange] {
    var changes: [PacketField: FieldChange] = [:]
    var isOpen = false
    for (index, field) in fields.enumerated() {
      if isIPv4 && index < 3 { continue }
      guard let address, !isOpen else {
        changes[field] = .any(field)
        continue
      }
      let shift = UInt128(96 - 32 * index)
      let first = UInt32(address.first >> shift & 0xffff_ffff)
      let last = UInt32(address.last >> shift & 0xffff_ffff)
      changes[field] = .among(Interval(first, last))
      isOpen = first != last
    }
    return changes
  }
}
