import Bytecode
import NetworkTypes

/// Numbers for links, so that an interface is one field of a packet: 0 none, then every link.
struct LinkTable {
  /// The links of the values from 1 on.
  private(set) var links: [Link]
  /// Whether the last value stands for all other links.
  let hasOthers: Bool

  /// Takes the host's links, or makes up one for every name and index that rules compare with.
  init(_ ruleset: Ruleset, _ host: AnalysisFacts) {
    if let known = host.links {
      links = known.contains { $0.name == "lo" } ? known : [.loopback] + known
      hasOthers = false
      return
    }
    var names: Set<String> = []
    var indexes: Set<UInt32> = []
    for table in ruleset.tables {
      for chain in table.chains {
        for rule in chain.rules where rule.expressions.contains(where: \.loadsLink) {
          for case .compare(let compare) in rule.expressions {
            Self.collect(compare.value, &names, &indexes)
          }
          for case .lookup(let lookup) in rule.expressions {
            let set = table.sets.first { $0.name == lookup.set }
            guard let set, set.key.count == 1, case .elements(let elements) = set.content else {
              continue
            }
            for element in elements { Self.collect(element.key, &names, &indexes) }
          }
        }
      }
    }
    names.remove("lo")
    indexes.remove(1)
    indexes.remove(0)
    // A name may belong to any index; others have an index and a name that no rule mentions.
    var made = [Link.loopback]
    let named = names.sorted() + [Self.otherName]
    let numbered = indexes.sorted() + [Self.otherIndex]
    for name in named where !name.isEmpty {
      for index in numbered { made.append(Link(index: index, name: name)) }
    }
    links = made
    hasOthers = true
  }

  /// A name that no rule mentions.
  private static let otherName = "\u{7f}other"
  private static let otherIndex: UInt32 = 0x7fff_ffff

  private static func collect(
    _ value: [UInt8], _ names: inout Set<String>, _ indexes: inout Set<UInt32>
  ) {
    let text = value.prefix { $0 != 0 }
    if !text.isEmpty, text.allSatisfy({ $0 > 32 && $0 < 127 }) {
      names.insert(String(decoding: text, as: UTF8.self))
    }
    if value.count == 4 {
      indexes.insert(value.reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
  }

  /// The largest value of a link.
  var last: UInt32 { UInt32(links.count) }

  /// The value of the loopback link.
  var loopback: UInt32 { UInt32((links.firstIndex { $0.name == "lo" } ?? 0) + 1) }

  /// The link of a value; nil for none and for one that stands for others.
  func link(_ value: UInt32) -> Link? {
    guard value >= 1, value <= last else { return nil }
    let link = links[Int(value) - 1]
    return link.name == Self.otherName || link.index == Self.otherIndex ? nil : link
  }

  /// Each value's index, 4 bytes host order.
  var indexRows: [[UInt8]] {
    [[0, 0, 0, 0]]
      + links.map { link in (0..<4).map { UInt8(link.index >> UInt32(8 * $0) & 255) } }
  }

  /// Each value's name, 16 bytes.
  var nameRows: [[UInt8]] {
    [[UInt8](repeating: 0, count: 16)]
      + links.map { link in
        let name = Array(link.name.utf8.prefix(15))
        return name + [UInt8](repeating: 0, count: 16 - name.count)
      }
  }
}

extension Expression {
  fileprivate var loadsLink: Bool {
    guard case .meta(let load) = self else { return false }
    return [.iif, .oif, .iifname, .oifname].contains(load.key)
  }
}

/// Numbers for the control groups that rules ask for: 0 none of them.
struct CgroupTable {
  /// The one level that rules ask for; nil when there are several.
  let level: UInt32?
  /// Whether rules ask for any.
  let hasLevels: Bool
  /// Each value's number, 8 bytes host order.
  let rows: [[UInt8]]

  init(_ ruleset: Ruleset) {
    var levels: Set<UInt32> = []
    var ids: Set<[UInt8]> = []
    for table in ruleset.tables {
      for chain in table.chains {
        for rule in chain.rules {
          let asked = rule.expressions.compactMap(\.cgroupLevel)
          guard !asked.isEmpty else { continue }
          levels.formUnion(asked)
          for case .compare(let compare) in rule.expressions where compare.value.count == 8 {
            ids.insert(compare.value)
          }
          for case .lookup(let lookup) in rule.expressions {
            guard let set = table.sets.first(where: { $0.name == lookup.set }),
              case .elements(let elements) = set.content
            else { continue }
            // Concatenations begin or end with the group, or hold it at a multiple of four bytes.
            for element in elements {
              for start in stride(from: 0, through: element.key.count - 8, by: 4) {
                ids.insert(Array(element.key[start..<start + 8]))
              }
            }
          }
        }
      }
    }
    level = levels.count == 1 ? levels.first : nil
    hasLevels = !levels.isEmpty
    // A number that no rule mentions stands for all others.
    var other = [UInt8](repeating: 0xee, count: 8)
    while ids.contains(other) { other[0] &+= 1 }
    rows = [other] + ids.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

extension Expression {
  fileprivate var cgroupLevel: UInt32? {
    if case .socket(let load) = self, load.key == .cgroupv2 { return load.level }
    return nil
  }
}
