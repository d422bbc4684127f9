import Bytecode
import NetworkTypes

/// One packet's walk over the hooks of a path, one way at every choice.
///
/// 1. At each hook the packet's interfaces are what the kernel passes to it: in the output hook the
///    device stays what it was when the hook was entered, whatever rules change.
/// 2. The hook's stations run by priority; see ``PathSchedule``.
/// 3. After prerouting and output a changed destination has the packet routed anew.
struct PathWalk: ~Copyable {
  enum End {
    case passed
    case dropped
    case rejected(Reject)
    case queued
    case stolen
    case undecided(Choices.Point)
  }

  let interpreter: Interpreter
  let path: Path
  let rare: RareState
  var packet: PacketContext
  var state: MachineState
  var trace: [RawStep]? = []
  /// The hooks entered, and the trace's length then.
  var hooks: [(hook: Hook, start: Int)] = []
  /// The devices as routing has them now.
  private let arrival: Fact<NetworkInterface>
  private(set) var departure: Fact<NetworkInterface>
  private let firstDeparture: Fact<NetworkInterface>
  /// The link-layer header that an own packet gets after its last IP hook.
  private let departureHeader: Fact<[UInt8]>

  init(
    _ interpreter: Interpreter, _ packet: borrowing PacketContext, _ path: Path, _ rare: RareState
  ) {
    self.interpreter = interpreter
    self.path = path
    self.rare = rare
    self.packet = copy packet
    state = MachineState(packet)
    state.rare = rare
    arrival = path == .output ? .absent : packet.inputInterface
    departure = path == .input ? .absent : packet.outputInterface
    firstDeparture = departure
    departureHeader = path == .output ? packet.linkHeader : .unknown
    if isTracking { state.ctState = .invalid }
  }

  /// Whether conntrack looks at packets of the family.
  private var isTracking: Bool {
    switch rare.surroundings.isTracking {
    case .known(let isTracking): isTracking
    case .absent: false
    case .unknown: interpreter.program.trackedFamilies.contains(packet.family)
    }
  }

  mutating func walk() -> End {
    if !isTracking { state.ctState = .invalid }
    if path == .forward, interpreter.program.hasFlowtables {
      return .undecided(
        .packet("a flowtable takes packets of flows that it holds past every hook"))
    }
    if path != .output, let end = visit(.ingress, of: arrival) { return end }
    for hook in path.hooks {
      enter(hook)
      for group in interpreter.schedule.groups(hook, packet.family) {
        if let end = run(group) { return end }
      }
      if let end = leave(hook) { return end }
    }
    if path != .input, let end = visit(.egress, of: departure) { return end }
    return .passed
  }

  // MARK: Devices

  /// Runs the chains of a device.
  ///
  /// At egress the packet has its link-layer header before it already, and it counts.
  ///
  /// Source: `nf_hook_egress`, `nf_hook_ingress`, `include/linux/netfilter_netdev.h`.
  private mutating func visit(_ hook: Hook, of device: Fact<NetworkInterface>) -> End? {
    let groups = interpreter.schedule.groups(hook, packet.family)
    guard !groups.isEmpty else { return nil }
    guard case .known(let interface) = device else {
      return .undecided(.packet("the device whose \(hook) chains the packet meets is not known"))
    }
    rare.hook = hook
    hooks.append((hook, trace?.count ?? 0))
    packet.inputInterface = hook == .ingress ? device : .absent
    packet.outputInterface = hook == .egress ? device : .absent
    if hook == .egress {
      packet.linkHeader = departure == firstDeparture ? departureHeader : .unknown
      if case .known(let header) = packet.linkHeader {
        state.extraBytes = header.count
      } else {
        state.extraBytes = nil
      }
    }
    for group in groups {
      var mine = group
      mine.stations = []
      for station in group.stations {
        if case .chain(let entry) = station, interpreter.sees(entry, interface.name) {
          mine.stations.append(station)
        }
      }
      if let end = run(mine) { return end }
    }
    state.extraBytes = 0
    state.nfproto = packet.family.rawValue
    return nil
  }

  // MARK: Hooks

  private mutating func enter(_ hook: Hook) {
    rare.hook = hook
    hooks.append((hook, trace?.count ?? 0))
    packet.inputInterface = hook == .output ? .absent : arrival
    packet.outputInterface = hook == .prerouting || hook == .input ? .absent : departure
    if path == .output { packet.linkHeader = .absent }
    // What is stated about a device is about the first one.
    if departure != firstDeparture {
      for key in [MetaKey.oiftype, .oifgroup, .oifkind] {
        packet.state(.meta(MetaLoad(key, into: Register(word: 0))), as: .unknown)
      }
    }
  }

  /// Routes the packet after prerouting, where translation may have given it another destination.
  private mutating func leave(_ hook: Hook) -> End? {
    guard hook == .prerouting, rare.isTranslated else { return nil }
    guard let answer = route() else {
      return .undecided(
        .packet("where a packet with a translated destination is routed is not stated"))
    }
    switch (answer, path) {
    case (.none, _): return .dropped
    case (.device(let device), .forward):
      departure = .known(device)
      return nil
    case (.local, .input): return nil
    default:
      return .undecided(.packet("translation of its destination changes the path"))
    }
  }

  /// Has a packet of this host routed anew, as `ip_route_me_harder` does; later hooks see the new
  /// device, the hook at hand keeps the old one.
  private mutating func rerouteOutput() -> End? {
    switch route() {
    case .none?: return .dropped
    case .device(let device)?, .local(let device)?: departure = .known(device)
    case nil: departure = .unknown
    }
    return nil
  }

  private func route() -> Surroundings.Route? {
    guard let ask = rare.surroundings.route, let ends = PacketEnds(state.bytes, packet.family)
    else { return nil }
    let query = Surroundings.RouteQuery(
      source: ends.source, destination: ends.destination, mark: state.mark)
    guard case .known(let answer) = ask(query) else { return nil }
    return answer
  }

  // MARK: Stations

  private mutating func run(_ group: PathSchedule.Group) -> End? {
    let isListed = group.isOfChains && rare.surroundings.isListedAsRegistered
    var stations: [PathSchedule.Station] = []
    for station in group.stations {
      let skips = isInert(station)
      if !skips { stations.append(station) }
    }
    let isOrdered = stations.count < 2 || isListed
    while !stations.isEmpty {
      let next =
        isOrdered
        ? 0
        : rare.choices.choose(
          stations.count,
          at: .packet(
            "the order of \(stations.count) chains of priority \(group.priority) at "
              + "\(rare.hook) is not known"))
      if let end = run(stations.remove(at: next)) { return end }
    }
    return nil
  }

  /// Whether a station does nothing in any order.
  private func isInert(_ station: PathSchedule.Station) -> Bool {
    switch station {
    case .chain: false
    case .nat(let groups): groups.isEmpty && packet.flow == .unknown || !isTracking
    case .conntrack: !isTracking
    case .reassembly: !isTracking || !isFragment
    }
  }

  private mutating func run(_ station: PathSchedule.Station) -> End? {
    switch station {
    case .chain(let entry): run(entry)
    case .conntrack: track()
    case .reassembly: reassemble()
    case .nat(let groups): translate(groups)
    }
  }

  private mutating func run(_ entry: Program.Entry) -> End? {
    let program = interpreter.program
    if entry.obstacle >= 0 {
      return .undecided(.chain(entry.chain, reason: entry.obstacle))
    }
    guard var headers = PacketHeaders(state.bytes.span, packet.family, program.kernel) else {
      return .undecided(.packet("the bytes are no \(packet.family) packet"))
    }
    // At devices the kernel first looks whether the packet is all there.
    if rare.hook.rawValue >= Hook.ingress.rawValue, !isWhole { headers = PacketHeaders() }
    // An offset of 0 counts from the link-layer header there.
    if rare.hook == .egress, packet.family == .ipv6, headers.fragmentOffset != 0 {
      headers.transportOffset = Int32(-(state.extraBytes ?? 1 << 20))
    }
    state.nfproto = entry.families == .netdev ? 5 : packet.family.rawValue
    let before = RoutingKey(state.bytes, state.mark, packet.family)
    switch program.run(entry.chain, packet, headers, &state, &trace) {
    case .accept:
      let isChanged =
        entry.isRoute && rare.hook == .output
        && RoutingKey(state.bytes, state.mark, packet.family) != before
      return isChanged ? rerouteOutput() : nil
    case .drop: return .dropped
    case .reject(let number): return .rejected(program.rejects[Int(number)])
    case .queue: return .queued
    case .stolen: return .stolen
    case .undecided(let instruction):
      return .undecided(rare.obstacle ?? .instruction(instruction, missing: nil))
    }
  }

  /// Whether the lengths in the headers fit the packet.
  ///
  /// Source: `__nft_set_pktinfo_ipv4_validate`, `include/net/netfilter/nf_tables_ipv4.h`;
  /// `__nft_set_pktinfo_ipv6_validate`, `nf_tables_ipv6.h`.
  private var isWhole: Bool {
    let place = packet.family == .ipv4 ? 2 : 4
    let length = Int(state.bytes[place]) << 8 | Int(state.bytes[place + 1])
    switch packet.family {
    case .ipv4: return length <= state.bytes.count && length >= Int(state.bytes[0] & 15) * 4
    case .ipv6: return length + 40 <= state.bytes.count
    }
  }

  // MARK: Reassembly and connection tracking

  /// Source: `nf_conntrack_in`, `net/netfilter/nf_conntrack_core.c`.
  private mutating func track() -> End? {
    guard isTracking, !rare.isPastConntrack else { return nil }
    rare.isPastConntrack = true
    guard state.ctState != .untracked else { return nil }
    state.ctState = packet.ctState
    switch packet.ctState {
    case .invalid, .untracked: break
    default:
      rare.ctStatus = packet.ctStatus
      rare.ctMark = packet.ctMark
      rare.ctDirection = packet.ctDirection
      rare.flow = packet.flow
      if rare.flow == .unknown, packet.isFirstOfFlow == .known(true),
        let direction = FlowDirection(state.bytes, packet.family)
      {
        rare.flow = .known(TrackedFlow(original: direction))
      }
    }
    return nil
  }

  private var isFragment: Bool {
    switch packet.family {
    case .ipv4:
      !packet.isExemptFromReassembly
        && (state.bytes[6] & 0x3f != 0 || state.bytes[7] != 0)
    case .ipv6: FragmentHeader(state.bytes) != nil
    }
  }

  /// A fragment waits for the rest of its packet; a whole one loses its header.
  private mutating func reassemble() -> End? {
    guard isTracking, isFragment, state.ctState != .untracked else { return nil }
    guard packet.family == .ipv6, let header = FragmentHeader(state.bytes) else { return .stolen }
    switch header.fate(in: state.bytes) {
    case .waits: return .stolen
    case .dropped: return .dropped
    case .passes: return nil
    case .becomes(let bytes):
      state.bytes = bytes
      return nil
    }
  }

  // MARK: Address translation

  /// Source: `nf_nat_inet_fn`, `net/netfilter/nf_nat_core.c`; `nf_nat_ipv4_local_fn`,
  /// `net/netfilter/nf_nat_proto.c`.
  private mutating func translate(_ groups: [[Program.Entry]]) -> End? {
    guard isTracking else { return nil }
    switch state.ctState {
    case .invalid, .untracked: return nil
    case nil:
      guard !groups.isEmpty else { return nil }
      return .undecided(.packet("ct state is not stated, and nat chains depend on it"))
    case .new:
      guard !groups.isEmpty else { return nil }
      switch packet.isFirstOfFlow {
      case .known(true): if let end = runNAT(groups) { return end }
      case .known(false): break
      case .unknown, .absent:
        return .undecided(
          .packet("whether the packet is the first of its flow is not stated"))
      }
    case .established, .related: break
    }
    return rewrite()
  }

  /// Runs the nat chains until one translates.
  private mutating func runNAT(_ groups: [[Program.Entry]]) -> End? {
    let end: TranslatedEnd =
      rare.hook == .prerouting || rare.hook == .output
      ? .destination : .source
    for group in groups {
      var chains = group
      while !chains.isEmpty {
        let next =
          rare.surroundings.isListedAsRegistered
          ? 0
          : rare.choices.choose(
            chains.count,
            at: .packet(
              "the order of \(chains.count) nat chains of priority "
                + "\(group[0].priority) at \(rare.hook) is not known"))
        rare.translation = nil
        if let end = run(chains.remove(at: next)) { return end }
        if let translation = rare.translation { return set(translation, end) }
      }
    }
    setDone(end)
    return nil
  }

  /// Source: `nf_nat_setup_info`, `net/netfilter/nf_nat_core.c`.
  private mutating func set(_ translation: Translation, _ end: TranslatedEnd) -> End? {
    guard case .known(var flow) = rare.flow else {
      return .undecided(.packet("the flow of the packet is not known"))
    }
    let now = flow.reply.inverse
    guard let wanted = translation.applied(to: now, end) else {
      return .undecided(
        .packet("address translation chooses among several addresses or ports"))
    }
    if wanted != now {
      flow.reply = wanted.inverse
      rare.flow = .known(flow)
      if case .known(let status) = rare.ctStatus {
        rare.ctStatus = .known(status | (end == .source ? 0x10 : 0x20))
      }
    }
    setDone(end)
    return nil
  }

  /// `IPS_SRC_NAT_DONE`, `IPS_DST_NAT_DONE`.
  private func setDone(_ end: TranslatedEnd) {
    guard case .known(let status) = rare.ctStatus else { return }
    rare.ctStatus = .known(status | (end == .source ? 0x80 : 0x100))
  }

  /// Gives the packet the ends that its flow's translation asks for.
  private mutating func rewrite() -> End? {
    let end: TranslatedEnd =
      rare.hook == .prerouting || rare.hook == .output
      ? .destination : .source
    guard case .known(let flow) = rare.flow else { return nil }
    guard flow.reply != flow.original.inverse else { return nil }
    guard case .known(let direction) = packet.ctDirection, state.ctState != .related else {
      return .undecided(
        .packet("the packet's direction in a translated flow is not stated"))
    }
    let target = flow.target(isReply: direction == 1)
    let origin = direction == 1 ? flow.reply : flow.original
    let isChanged =
      end == .source
      ? (origin.source, origin.sourcePort) != (target.source, target.sourcePort)
      : (origin.destination, origin.destinationPort)
        != (target.destination, target.destinationPort)
    if isChanged {
      let rewrite = PacketRewrite(
        family: packet.family, transport: TrackedHeaders(state.bytes, packet.family)?.offset)
      rewrite.apply(target, end, to: &state.bytes)
      rare.isTranslated = true
      rare.isAddressChanged = true
    }
    let isMoved = origin.destination != target.destination
    return rare.hook == .output && isMoved ? rerouteOutput() : nil
  }
}

/// What a route chain compares to see whether the packet must be routed anew.
///
/// Source: `nf_route_table_hook4`, `nf_route_table_hook6`, `net/netfilter/nft_chain_route.c`.
private struct RoutingKey: Equatable {
  let mark: Fact<UInt32>
  let fields: [UInt8]

  init(_ bytes: [UInt8], _ mark: Fact<UInt32>, _ family: Family) {
    self.mark = mark
    switch family {
    case .ipv4: fields = [bytes[1]] + Array(bytes[12..<20])
    case .ipv6: fields = Array(bytes[0..<4] + bytes[7..<40])
    }
  }
}

/// The addresses of a packet.
struct PacketEnds {
  let source: IPAddress
  let destination: IPAddress

  init?(_ bytes: [UInt8], _ family: Family) {
    let (first, length) = family == .ipv4 ? (12, 4) : (8, 16)
    guard bytes.count >= first + 2 * length,
      let source = IPAddress(networkOrderBytes: bytes[first..<first + length]),
      let destination = IPAddress(networkOrderBytes: bytes[first + length..<first + 2 * length])
    else { return nil }
    self.source = source
    self.destination = destination
  }
}
