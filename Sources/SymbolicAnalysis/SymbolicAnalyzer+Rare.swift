import Bytecode
import NetworkTypes
import PacketSets

/// Expressions that are seldom met in filter rules.
extension SymbolicAnalyzer {
  mutating func stepRarely(
    _ expression: Expression, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    switch expression {
    case .metaSet(let set):
      next.append(changed(path, set))
    case .ctSet(let set):
      try step(set, path, &next, &run)
    case .payloadSet(let set):
      try step(set, path, &next, &run)
    case .notrack:
      try stepNotrack(path, &next, &run)
    case .nat(let nat):
      try step(nat, path, &next, &run)
    case .masquerade(let masquerade):
      try translateSource(path, nil, ports(masquerade.port, masquerade.portMax, path), &run)
    case .redirect(let redirect):
      try step(redirect, path, &run)
    case .objectReference(let reference):
      step(object: reference.type, reference.name, path, &next, &run)
    case .objectMap(let map):
      try step(map, path, &next, &run)
    case .limit:
      next.append(doubt(path, [cause("limit")]))
    case .quota:
      next.append(doubt(path, [cause("quota")]))
    case .connectionLimit:
      next.append(doubtOrDrop(path, "the number of connections"))
    case .dynamicSet(let change):
      next.append(doubt(path, [cause("whether the set \(change.set) takes an element")]))
    case .extensionHeaderSet:
      next.append(doubt(path, [cause("whether an option can be written")]))
    case .extensionHeaderReset:
      next.append(doubtOrDrop(path, "whether an option can be taken out"))
    case .flowOffload:
      next.append(doubt(path, [cause("whether the flow can be offloaded")]))
    case .transparentProxy:
      next.append(doubt(path, [cause("whether a transparent socket is there")]))
    case .duplicate:
      next.append(path)
    case .synproxy:
      end(doubt(path, [cause("synproxy")]), Outcome(drops: true), &run)
    case .queue:
      endInQueue(path, &run)
    case .match(let match):
      try step(match, path, &next, &run)
    case .target(let target):
      try step(target, path, &next, &run)
    case .forward:
      end(path, anything(path, "forward to another device"), &run)
    case .unknown(let name, _):
      end(path, anything(path, "the expression \(name)"), &run)
    default:
      try stepLoad(expression, path, &next, &run)
    }
  }

  /// A program gets the packet: it may change and accept it, or drop it.
  func endInQueue(_ path: RulePath, _ run: inout RuleRun) {
    let why = [cause("queue: a program decides")]
    let havoc = table.number(path.change.then(Change.havoc(why)))
    let plain = table.number(path.change)
    end(path, Outcome(drops: true, accepts: [plain, havoc].sorted(), causes: why), &run)
  }

  /// Loads of facts that are not followed.
  private mutating func stepLoad(
    _ expression: Expression, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    let destination: Register
    var cases: [LoadCase]
    func unknown(_ count: Int, _ reason: String) -> [LoadCase] {
      let why = cause(reason)
      return [LoadCase(packets: .everything, bits: .opaque(count, why), mayBreak: why)]
    }
    switch expression {
    case .hash(let hash):
      destination = hash.destination
      cases = [LoadCase(packets: .everything, bits: bounded(hash.offset, hash.modulus, "a hash"))]
    case .numberGenerator(let generator):
      destination = generator.destination
      let bits = bounded(generator.offset, generator.modulus, "a running or random number")
      cases = [LoadCase(packets: .everything, bits: bits)]
    case .fingerprint(let load):
      destination = load.destination
      cases = unknown(128, "the operating system of a sender")
    case .route(let load):
      destination = load.destination
      cases = unknown(load.key.lengthBytes * 8, "rt \(load.key.keyword)")
    case .tunnel(let load):
      destination = load.destination
      cases = unknown(32, "a fact of a tunnel")
    case .transform(let load):
      destination = load.destination
      cases = unknown(128, "a fact of IPsec")
    case .socket(let load):
      destination = load.destination
      if load.key == .cgroupv2, load.level == cgroupLevel {
        let there = try diagrams.set(.socket, 1)
        let bits = (0..<64).map { Bit.table(8, $0, isFlipped: false) }
        cases = [
          LoadCase(packets: there, bits: bits),
          LoadCase(packets: try diagrams.complement(there), bits: nil),
        ]
      } else {
        let length = load.key == .cgroupv2 ? 64 : load.key == .mark ? 32 : 8
        cases = unknown(length, "socket \(load.key.keyword)")
      }
    case .inner(let inner):
      switch inner.expression {
      case .meta(let load):
        destination = load.destination
        cases = unknown(load.key.lengthBytes * 8, "a packet inside a tunnel")
      case .payload(let load):
        destination = load.destination
        cases = unknown(Int(load.lengthBytes) * 8, "a packet inside a tunnel")
      default:
        end(path, anything(path, "an expression inside a tunnel"), &run)
        return
      }
    default:
      end(path, anything(path, "the expression \(expression.name)"), &run)
      return
    }
    try load(cases, destination, path, &next, &run)
  }

  /// A number from `offset` to below `offset + modulus`, host order.
  private func bounded(_ offset: UInt32, _ modulus: UInt32, _ reason: String) -> [Bit] {
    let last = UInt64(offset) + UInt64(max(modulus, 1)) - 1
    let known = last > UInt64(UInt32.max) ? 0 : UInt32(last).leadingZeroBitCount
    return ([Bit].zeros(known) + .opaque(32 - known, cause(reason))).swapped
  }

  /// The packets may leave the rule here, go on, or be dropped.
  private func doubtOrDrop(_ path: RulePath, _ reason: String) -> RulePath {
    var path = doubt(path, [cause(reason)])
    path.pending.drops = true
    return path
  }

  /// A named object: some decide nothing, some may break the rule.
  ///
  /// Source: `net/netfilter/nft_objref.c`; `NFT_OBJECT_*`, `linux/netfilter/nf_tables.h`.
  func step(
    object type: UInt32, _ name: String, _ path: RulePath, _ next: inout [RulePath],
    _ run: inout RuleRun
  ) {
    switch type {
    case 1, 3, 6, 7, 8, 9: next.append(path)
    case 2: next.append(doubt(path, [cause("the quota \(name)")]))
    case 4: next.append(doubt(path, [cause("the limit \(name)")]))
    case 5: next.append(doubtOrDrop(path, "the number of connections in \(name)"))
    case 10: end(doubt(path, [cause("synproxy")]), Outcome(drops: true), &run)
    default: end(path, anything(path, "the object \(name)"), &run)
    }
  }

  /// An object that a map holds for a key; a miss breaks the rule.
  private mutating func step(
    _ map: ObjectMap, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    guard let place = setIndex[SetName(table: run.tableIndex, name: map.set)] else {
      end(path, anything(path, "the missing map \(map.set)"), &run)
      return
    }
    let set = ruleset.tables[run.tableIndex].sets[place]
    let bits = path.registers.load(map.source.word, lengthBytes: set.keyLengthBytes)
    let selector = try selector(set, run.tableIndex, bits)
    let findings = selector.findings
    let yes = try diagrams.packets(of: selector.function) { !findings[$0].choices.contains(0) }
    let unsure = try diagrams.packets(of: selector.function) {
      findings[$0].choices.contains(0) && findings[$0].choices.count > 1
    }
    var found: [RulePath] = []
    let why = [cause("what the map \(map.set) holds")]
    try split(path, Condition(yes: yes, unsure: unsure, causes: why), &found, &run)
    for part in found { step(object: set.objectType ?? 0, map.set, part, &next, &run) }
  }
}
