/// Conntrack timeouts in the words of nft(8): only values that are not its defaults are named.
struct NftTimeout {
  let name: String
  /// `tcp` or `udp`: nft 1.0.6 has words for no other.
  let protocolName: String
  /// `inet`, `ip` or `ip6`.
  let familyName: String
  let policy: [(state: String, seconds: UInt32)]

  private static let states: [UInt8: [(name: String, usual: UInt32)]] = [
    6: [
      ("syn_sent", 120), ("syn_recv", 60), ("established", 432_000), ("fin_wait", 120),
      ("close_wait", 60), ("last_ack", 30), ("time_wait", 120), ("close", 10),
      ("syn_sent2", 120), ("retrans", 300), ("unack", 300),
    ],
    17: [("unreplied", 30), ("replied", 120)],
  ]

  /// Reads an object; throws when it is no timeout, or one that nft has no words for.
  init(_ object: NamedObject) throws(BytecodeError) {
    func refusal(_ reason: String) -> BytecodeError {
      .inexpressibleObject(name: object.name, reason: reason)
    }
    guard case .conntrackTimeout(let timeout) = object.content else {
      throw refusal("objects but counters and conntrack timeouts are not modelled")
    }
    guard let states = Self.states[timeout.layer4Protocol],
      let known = TableFamily(rawValue: UInt8(truncatingIfNeeded: timeout.family)),
      [.inet, .ip, .ip6].contains(known), object.comment == nil
    else { throw refusal("nft(8) has no words for these timeouts") }
    var policy: [(state: String, seconds: UInt32)] = []
    for (place, state) in states.enumerated() {
      guard let value = timeout.timeouts.first(where: { $0.state == UInt16(place + 1) }) else {
        throw refusal("a timeout is missing")
      }
      if value.seconds != state.usual { policy.append((state.name, value.seconds)) }
    }
    name = object.name
    protocolName = timeout.layer4Protocol == 6 ? "tcp" : "udp"
    familyName = known.keyword
    self.policy = policy
  }

  /// The members of its JSON, but for family, table and name.
  var members: [(String, JSONValue)] {
    [
      ("protocol", .string(protocolName)), ("l3proto", .string(familyName)),
      ("policy", .object(policy.map { ($0.state, .number(UInt64($0.seconds))) })),
    ]
  }
}

extension NftText {
  mutating func put(_ object: NamedObject) throws(BytecodeError) {
    let timeout = try NftTimeout(object)
    out.put("\tct timeout \(timeout.name) {\n")
    out.put("\t\tprotocol \(timeout.protocolName)\n\t\tl3proto \(timeout.familyName)\n")
    let states = timeout.policy.map { "\($0.state) : \($0.seconds)" }
    out.put("\t\tpolicy = { \(states.joined(separator: ", ")) }\n\t}\n")
  }
}
