import NetworkTypes

/// Makes the built-in groups of the embedded range files.
enum RangeFiles {
  /// A line of a registry file.
  struct Row {
    let prefix: Prefix
    let names: [String]
    /// Whether the registry calls the block globally reachable; blank and n/a count as no.
    let isGlobal: Bool
  }

  /// All groups by name.
  static func groups() -> [String: Destination] {
    let registry = ["iana-ipv4-special", "iana-ipv6-special"].flatMap(rows)
    var blocks: [String: [AddressBlock]] = [:]
    for row in registry + rows("ipv6-other") {
      for name in row.names { blocks[name, default: []].append(row.prefix.block) }
    }
    // Judged by the IPv4 address inside, so a name for the block could not mean anything.
    blocks["nat64"] = nil
    var groups = blocks.mapValues { Destination(addresses: AddressSet($0)) }
    for name in ["google", "google-cloud", "goog", "metadata", "multicast", "broadcast"] {
      groups[name] = Destination(addresses: AddressList(Array(text(name).utf8).span).addresses)
    }
    groups["broadcast"]?.includesLinkBroadcast = true
    let special = (groups["multicast"]?.addresses ?? .init())
      .union(groups["broadcast"]?.addresses ?? .init())
    let local = privateAddresses(registry).subtracting(special)
    let global = AddressSet.full.subtracting(local.union(special))
    groups["private"] = Destination(addresses: local, isatapEmbedded: global.v4.complement)
    groups["global"] = Destination(addresses: global)
    return groups
  }

  /// Every block not globally reachable by its longest match in the registry, and of IPv6 all that
  /// is not global unicast space, but 64:ff9b::/96.
  private static func privateAddresses(_ registry: [Row]) -> AddressSet {
    let unicast = AddressSet([block("2000::/3"), block("64:ff9b::/96")])
    var result = AddressSet(v6: AddressSet.full.subtracting(unicast).v6)
    for row in registry.sorted(by: { $0.prefix.length < $1.prefix.length }) {
      let addresses = AddressSet([row.prefix.block])
      result = row.isGlobal ? result.subtracting(addresses) : result.union(addresses)
    }
    return result
  }

  /// The rows `prefix # names; reachable; title; reference` of a registry file.
  static func rows(_ name: String) -> [Row] {
    text(name).split(separator: "\n").compactMap { line in
      let parts = line.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else { return nil }
      let fields = parts[1].split(separator: ";").map { $0.filter { $0 != " " } }
      guard let prefix = try? Prefix(strict: parts[0].filter { $0 != " " }), fields.count >= 2
      else {
        preconditionFailure("embedded range file \(name): \(line)")
      }
      return Row(
        prefix: prefix, names: fields[0].split(separator: ",").map(String.init),
        isGlobal: fields[1] == "yes")
    }
  }

  private static func block(_ text: String) -> AddressBlock {
    guard let block = try? AddressBlock(strict: text) else {
      preconditionFailure("embedded prefix \(text)")
    }
    return block
  }

  private static func text(_ name: String) -> String {
    let path = "ranges/\(name).txt"
    guard let file = EmbeddedRules.files.first(where: { $0.path == path }) else {
      preconditionFailure("embedded file \(path)")
    }
    return file.text
  }
}
