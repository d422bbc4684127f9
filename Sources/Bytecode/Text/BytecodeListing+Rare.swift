/// Expressions that most rulesets have none of.
extension Expression {
  /// Source: `nftnl_expr_*_snprintf`, libnftnl 1.2.4; `quota`, `tunnel` and others as it prints them.
  var rareListing: String {
    switch self {
    case .payloadSet(let store): store.listing
    case .ctSet(let store):
      "ct set \(store.key.keyword) with reg \(store.source.listing)\(store.direction.listing)"
    case .shift(let shift):
      "bitwise reg \(shift.destination.listing) = ( reg \(shift.source.listing) "
        + "\(shift.direction == .left ? "<<" : ">>") 0x\(String(shift.bits, radix: 16).padded) )"
    case .bitwiseOperation(let operation): operation.listing
    case .dynamicSet(let dynamic): dynamic.listing
    case .objectMap(let map): "objref sreg \(map.source.listing) set \(map.set)"
    case .extensionHeaderSet(let store):
      "exthdr write \(ExtensionHeaderLoad.word(store.operation)) reg \(store.source.listing) => "
        + "\(store.lengthBytes)b @ \(store.type) + \(store.offsetBytes)"
    case .extensionHeaderReset(let reset):
      "exthdr reset \(ExtensionHeaderLoad.word(reset.operation)) \(reset.type)"
    case .nat, .masquerade, .redirect: translationListing
    case .duplicate(let duplicate):
      "dup" + field("sreg_addr", duplicate.address) + field("sreg_dev", duplicate.device)
    case .forward(let forward):
      "fwd" + field("sreg_dev", forward.device) + field("sreg_addr", forward.address)
        + (forward.family.map { " nfproto \($0)" } ?? "")
    case .flowOffload(let offload): "flow_offload flowtable \(offload.flowtable)"
    case .hash(let hash): hash.listing
    case .inner(let inner):
      "inner type \(inner.type) hdrsize \(inner.headerSizeBytes) flags "
        + "\(String(inner.flags, radix: 16)) [ \(inner.expression.listing) ]"
    case .last(let last): last.isSet ? "last \(last.millisecondsAgo)" : "last never"
    case .limit(let limit): limit.listing
    case .log(let log): log.listing
    case .notrack: "notrack"
    case .numberGenerator(let generator):
      "numgen reg \(generator.destination.listing) = \(generator.kind.keyword) mod "
        + "\(generator.modulus)\(generator.offset > 0 ? " offset \(generator.offset)" : "")"
    case .fingerprint(let load):
      "osf dreg \(load.destination.listing)\(load.ttl > 0 ? " ttl \(load.ttl)" : "")"
        + (load.flags > 0 ? " flags \(load.flags)" : "")
    case .queue(let queue): queue.listing
    case .quota(let quota):
      "quota bytes \(quota.bytes) consumed \(quota.consumed) flags "
        + "\((quota.isInverted ? 1 : 0) | (quota.isDepleted ? 2 : 0))"
    case .connectionLimit(let limit):
      "connlimit count \(limit.count) flags \(limit.isInverted ? 1 : 0)"
    case .route(let load): "rt load \(load.key.keyword) => reg \(load.destination.listing)"
    case .socket(let load):
      "socket load \(load.key.keyword)\(load.key == .cgroupv2 ? " level \(load.level)" : "")"
        + " => reg \(load.destination.listing)"
    // nft prints no flags here.
    case .synproxy(let proxy):
      "synproxy mss \(proxy.maximumSegmentSize) wscale \(proxy.windowScale) flags \(proxy.flags)"
    case .transparentProxy(let proxy):
      "tproxy" + (proxy.family == .inet ? "" : " \(proxy.family.keyword)")
        + field("addr reg", proxy.address)
        + field("port reg", proxy.port)
    case .tunnel(let load):
      "tunnel load \(load.key.keyword) => reg \(load.destination.listing)"
        + (load.mode > 0 ? " mode \(load.mode)" : "")
    case .transform(let load):
      "xfrm load \(load.direction == 0 ? "in" : "out") \(load.number) \(load.key.keyword) => reg "
        + load.destination.listing
    case .match(let match):
      "match name \(match.name) rev \(match.revision) info \(blob(match.info))"
    case .target(let target):
      "target name \(target.name) rev \(target.revision) info \(blob(target.info))"
    case .unknown(let name, let bytes): "\(name) ?? \(blob(bytes))"
    default: name
    }
  }

  private var translationListing: String {
    switch self {
    case .nat(let nat):
      "nat \(nat.kind.keyword) \(nat.family.listingWord)"
        + range("addr", nat.address, nat.addressMax) + range("proto", nat.port, nat.portMax)
        + flags(nat.flags, address: nat.address, port: nat.port)
    case .masquerade(let masquerade):
      "masq" + range("proto", masquerade.port, masquerade.portMax)
        + flags(masquerade.flags, port: masquerade.port)
    case .redirect(let redirect):
      "redir" + range("proto", redirect.port, redirect.portMax)
        + flags(redirect.flags, port: redirect.port)
    default: name
    }
  }

  /// Bytes as their number and their digits without the zeros at the end: `256:6869`.
  private func blob(_ bytes: [UInt8]) -> String {
    var text = TextBuffer()
    let end = bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
    text.put("\(bytes.count):")
    for byte in bytes[..<end] { text.put(hex: byte, width: 2) }
    return text.string
  }

  private func field(_ word: String, _ register: Register?) -> String {
    register.map { " \(word) \($0.listing)" } ?? ""
  }

  private func range(_ word: String, _ least: Register?, _ most: Register?) -> String {
    guard let least else { return "" }
    return " \(word)_min reg \(least.listing) \(word)_max reg \((most ?? least).listing)"
  }

  private func flags(_ flags: NATFlags, address: Register? = nil, port: Register?) -> String {
    var all = flags
    if address != nil { all.insert(.mapAddresses) }
    if port != nil { all.insert(.portSpecified) }
    return all.isEmpty ? "" : " flags 0x\(String(all.rawValue, radix: 16))"
  }
}

extension String {
  /// Eight digits.
  fileprivate var padded: String { String(repeating: "0", count: max(0, 8 - count)) + self }
}

extension TableFamily {
  fileprivate var listingWord: String { keyword }
}

extension PayloadSet {
  fileprivate var listing: String {
    "payload write reg \(source.listing) => \(lengthBytes)b @ \(base.listingWord) header + "
      + "\(offsetBytes) csum_type \(checksum.rawValue) csum_off \(checksumOffset) csum_flags "
      + "0x\(String(checksumFlags, radix: 16))"
  }
}

extension BitwiseOperation {
  fileprivate var listing: String {
    let right =
      switch operand {
      case .register(let register): "reg \(register.listing)"
      case .data(let bytes): Expression.notrack.words(bytes)
      }
    return "bitwise reg \(destination.listing) = ( reg \(source.listing) \(operation.keyword) "
      + "\(right) )"
  }
}

extension DynamicSet {
  fileprivate var listing: String {
    var text = "dynset \(operation.keyword) reg_key \(key.listing) set \(set)"
    if let data { text += " sreg_data \(data.listing)" }
    text += " timeout \(timeoutMilliseconds ?? 0)ms"
    if isInverted { text += " inv" }
    for expression in expressions { text += " expr [ \(expression.listing) ]" }
    return text
  }
}

extension Hash {
  fileprivate var listing: String {
    var text = "hash reg \(destination.listing) = \(kind.keyword)"
    if kind == .jenkins {
      text += "(reg \(source?.listing ?? "0"), \(lengthBytes), 0x\(String(seed ?? 0, radix: 16)))"
    } else {
      text += "()"
    }
    text += " % mod \(modulus)"
    return offset > 0 ? text + " offset \(offset)" : text
  }
}

extension Limit {
  static let periods: [(UInt64, String)] = [
    (1, "second"), (60, "minute"), (3600, "hour"), (86400, "day"), (604_800, "week"),
  ]

  fileprivate var listing: String {
    let period = Limit.periods.first { $0.0 == periodSeconds }?.1 ?? "\(periodSeconds)s"
    return "limit rate \(rate)/\(period) burst \(burst) type \(unit.keyword) flags "
      + "0x\(isInverted ? 1 : 0)"
  }
}

extension Log {
  static let flagWords: [(UInt32, String)] = [
    (1, "tcpseq"), (2, "tcpopt"), (4, "ipopt"), (8, "uid"), (16, "nflog"), (32, "macdecode"),
  ]

  fileprivate var listing: String {
    var text = "log"
    if let prefix { text += " prefix \(prefix)" }
    if let group {
      return text + " group \(group) snaplen \(snapLength) qthreshold \(queueThreshold)"
    }
    text += " level \(level ?? 4)"
    for (bit, word) in Log.flagWords where flags & bit != 0 { text += " \(word)" }
    return text
  }
}

extension Queue {
  fileprivate var listing: String {
    var text = "queue"
    if let register {
      text += " sreg_qnum \(register.listing)"
    } else {
      text += " num \(number)\(total > 1 ? "-\(Int(number) + Int(total) - 1)" : "")"
    }
    if flags & 1 != 0 { text += " bypass" }
    if flags & 2 != 0 { text += " fanout" }
    return text
  }
}

extension ExtensionHeaderLoad {
  /// The word for an operation.
  static func word(_ operation: UInt32) -> String {
    let words = ["ipv6", "tcpopt", "ipv4", "sctp chunk", "dccp option"]
    return operation < 5 ? words[Int(operation)] : "op \(operation)"
  }
}
