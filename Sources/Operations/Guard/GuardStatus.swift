import Foundation

/// What a guard knows at one moment.
public struct GuardStatus: Encodable, Sendable {
  /// Packets that a clause has denied.
  public struct Denials: Encodable, Sendable {
    /// The clause.
    public let clause: String
    /// Packets, since the rules were first applied.
    public let packets: UInt64
    /// Bytes from the IP header on.
    public let bytes: UInt64
  }

  /// A list file.
  public struct Feed: Encodable, Sendable {
    /// Its path.
    public let path: String
    /// When its edition was fetched, seconds since 1970; nil without one.
    public let fetched: Int?
  }

  /// Lines about denied packets.
  public struct Lines: Encodable, Sendable {
    /// Packets that became lines.
    public let told: Int
    /// Packets that were too many for lines.
    public let withheld: Int
    /// Packets that the kernel could not tell of.
    public let lost: Int
  }

  /// Version of this form.
  public let version = 1
  /// The policy's name.
  public let policy: String
  /// The compiled policy's digest.
  public let digest: String
  /// `inet weir`.
  public let table: String
  /// Seconds since 1970 when the guard began to watch.
  public let started: Int
  /// Whether weir's table is what weir would install; as of the last change that was heard of.
  public let isInForce: Bool
  /// Whether files say something that would open what is shut, and that nobody has confirmed.
  public let isHeld: Bool
  /// The answer of each claim of the last audit.
  public let claims: [String: String]
  /// How often in a row names went unanswered.
  public let namesUnanswered: Int
  /// How many events there were, by kind.
  public let events: [String: Int]
  /// What each clause has denied; nil where the counters cannot be read.
  public let denials: [Denials]?
  /// What has left and entered; empty where no meter runs.
  public let meter: [MeterReport.Row]
  /// The list files of published lists.
  public let feeds: [Feed]
  /// Lines about denied packets; nil where they are not logged.
  public let lines: Lines?

  enum CodingKeys: String, CodingKey {
    case version, policy, digest, table, started, isInForce, isHeld, claims, namesUnanswered
    case events, denials, meter, feeds, lines
  }

  /// The status as JSON.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) + "\n" } ?? "{}\n"
  }

  /// The status in the text format that Prometheus reads.
  var metrics: String {
    var page = MetricPage()
    page.add(
      "weir_policy_info", .gauge, "The policy that is guarded.",
      [(["policy": policy, "digest": digest, "table": table], 1)])
    page.add(
      "weir_guard_start_time_seconds", .gauge, "When the guard began, since 1970.",
      [([:], Double(started))])
    page.add(
      "weir_in_force", .gauge, "1 when the table is what weir would install.",
      [([:], isInForce ? 1 : 0)])
    page.add(
      "weir_held", .gauge, "1 when a change of files waits to be confirmed.",
      [([:], isHeld ? 1 : 0)])
    page.add(
      "weir_claim", .gauge, "1 for the answer of each claim of the last audit.",
      claims.sorted { $0.key < $1.key }.map { (["claim": $0.key, "answer": $0.value], 1) })
    page.add(
      "weir_names_unanswered", .gauge, "How often in a row names went unanswered.",
      [([:], Double(namesUnanswered))])
    page.add(
      "weir_events_total", .counter, "Events of the guard by kind.",
      events.sorted { $0.key < $1.key }.map { (["event": $0.key], Double($0.value)) })
    let denials = denials ?? []
    page.add(
      "weir_denied_packets_total", .counter, "Packets denied by each clause.",
      denials.map { (["clause": $0.clause], Double($0.packets)) })
    page.add(
      "weir_denied_bytes_total", .counter, "Bytes denied by each clause.",
      denials.map { (["clause": $0.clause], Double($0.bytes)) })
    page.add(
      "weir_meter_packets_total", .counter, "Packets that left and entered.",
      meter.map { (["direction": $0.direction, "family": $0.family], Double($0.packets)) })
    page.add(
      "weir_meter_bytes_total", .counter, "Bytes that left and entered.",
      meter.map { (["direction": $0.direction, "family": $0.family], Double($0.bytes)) })
    page.add(
      "weir_feed_fetched_time_seconds", .gauge, "When each list file was fetched, since 1970.",
      feeds.compactMap { feed in feed.fetched.map { (["list": feed.path], Double($0)) } })
    if let lines {
      page.add(
        "weir_log_packets_total", .counter, "Denied packets that the kernel told of.",
        [
          (["result": "told"], Double(lines.told)),
          (["result": "withheld"], Double(lines.withheld)),
          (["result": "lost"], Double(lines.lost)),
        ])
    }
    return page.text
  }
}

/// Text as Prometheus reads it.
private struct MetricPage {
  enum Kind: String {
    case gauge
    case counter
  }

  private(set) var text = ""

  mutating func add(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [([String: String], Double)]
  ) {
    guard !samples.isEmpty else { return }
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    for (labels, value) in samples {
      let list = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
      let number = value == value.rounded() && abs(value) < 0x1p53 ? "\(Int64(value))" : "\(value)"
      text += name + (list.isEmpty ? "" : "{\(list.joined(separator: ","))}") + " \(number)\n"
    }
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
