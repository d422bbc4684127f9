/// Expressions that count, bound, log and hand on.
extension BytecodeParser {
  /// Statements; nil when the name is none of theirs.
  func parseStatement(
    _ name: String, _ scanner: inout LineScanner
  ) throws(BytecodeSyntaxError) -> Expression? {
    switch name {
    case "counter":
      try scanner.expect("pkts")
      let packets: UInt64 = try scanner.number()
      try scanner.expect("bytes")
      return .counter(Counter(packets: packets, bytes: try scanner.number()))
    case "reject":
      try scanner.expect("type")
      let type: UInt32 = try scanner.number()
      try scanner.expect("code")
      return .reject(Reject(type: type, code: try scanner.number()))
    case "flow_offload":
      try scanner.expect("flowtable")
      return .flowOffload(FlowOffload(String(try scanner.word("a flowtable"))))
    case "last":
      if scanner.take("never") { return .last(Last()) }
      return .last(Last(isSet: true, millisecondsAgo: try scanner.number()))
    case "limit": return .limit(try limit(&scanner))
    case "log": return .log(try log(&scanner))
    case "notrack": return .notrack
    case "queue": return .queue(try queue(&scanner))
    case "quota":
      try scanner.expect("bytes")
      let bytes: UInt64 = try scanner.number()
      try scanner.expect("consumed")
      let consumed: UInt64 = try scanner.number()
      try scanner.expect("flags")
      let flags: UInt32 = try scanner.number()
      guard flags <= 3 else { throw scanner.error("expected flags 0 to 3 before") }
      return .quota(
        Quota(
          bytes, consumed: consumed, isInverted: flags & 1 != 0, isDepleted: flags & 2 != 0))
    case "connlimit":
      try scanner.expect("count")
      let count: UInt32 = try scanner.number()
      try scanner.expect("flags")
      let flags: UInt32 = try scanner.number()
      guard flags <= 1 else { throw scanner.error("expected flags 0 or 1 before") }
      return .connectionLimit(ConnectionLimit(count, isInverted: flags == 1))
    case "synproxy":
      try scanner.expect("mss")
      let size: UInt16 = try scanner.number()
      try scanner.expect("wscale")
      let scale: UInt8 = try scanner.number()
      try scanner.expect("flags")
      return .synproxy(
        Synproxy(maximumSegmentSize: size, windowScale: scale, flags: try scanner.number()))
    case "match", "target":
      try scanner.expect("name")
      let extensionName = String(try scanner.word("a name"))
      try scanner.expect("rev")
      let revision: UInt32 = try scanner.number()
      try scanner.expect("info")
      let info = try scanner.blob()
      return name == "match"
        ? .match(ExtensionMatch(extensionName, revision: revision, info: info))
        : .target(ExtensionTarget(extensionName, revision: revision, info: info))
    default: return nil
    }
  }

  private func limit(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Limit {
    try scanner.expect("rate")
    let (rate, period) = try scanner.take("a rate") { word -> (UInt64, UInt64)? in
      let parts = word.split(separator: "/")
      guard parts.count == 2, let rate = UInt64(parts[0]),
        let period = Limit.periods.first(where: { $0.1 == parts[1] })?.0
          ?? (parts[1].hasSuffix("s") ? UInt64(parts[1].dropLast()) : nil)
      else { return nil }
      return (rate, period)
    }
    try scanner.expect("burst")
    let burst: UInt32 = try scanner.number()
    try scanner.expect("type")
    let unit = try scanner.take("`packets` or `bytes`") { word in
      LimitUnit.allCases.first { $0.keyword == word }
    }
    try scanner.expect("flags")
    let flags: UInt32 = try scanner.number()
    guard flags <= 1 else { throw scanner.error("expected flags 0x0 or 0x1 before") }
    return Limit(
      rate: rate, periodSeconds: period, burst: burst, unit: unit, isInverted: flags == 1)
  }

  private func log(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Log {
    var log = Log()
    if scanner.take("prefix") { log.prefix = try scanner.text(before: ["level", "group"]) }
    if scanner.take("group") {
      log.group = try scanner.number()
      try scanner.expect("snaplen")
      log.snapLength = try scanner.number()
      try scanner.expect("qthreshold")
      log.queueThreshold = try scanner.number()
      return log
    }
    try scanner.expect("level")
    log.level = try scanner.number()
    while let word = scanner.next, let flag = Log.flagWords.first(where: { $0.1 == word }) {
      _ = scanner.take(flag.1)
      log.flags |= flag.0
    }
    return log
  }

  private func queue(_ scanner: inout LineScanner) throws(BytecodeSyntaxError) -> Queue {
    var queue = Queue()
    if scanner.take("sreg_qnum") {
      queue.register = try scanner.register()
    } else {
      try scanner.expect("num")
      let range = try scanner.take("a queue or a range") { word -> ClosedRange<UInt16>? in
        let ends = word.split(separator: "-").map { UInt16($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
          first <= last
        else { return nil }
        return first...last
      }
      queue.number = range.lowerBound
      queue.total = UInt16(range.count)
    }
    if scanner.take("bypass") { queue.flags |= 1 }
    if scanner.take("fanout") { queue.flags |= 2 }
    return queue
  }
}
