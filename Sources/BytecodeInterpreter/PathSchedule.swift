import Bytecode
import NetworkTypes

/// What runs at a hook, by priority: base chains, connection tracking, address translation.
///
/// Source: `include/uapi/linux/netfilter_ipv4.h`, `nf_hook_slow`, `net/netfilter/core.c`.
struct PathSchedule {
  enum Station {
    case chain(Program.Entry)
    /// Nat chains, in groups of equal priority, that a flow's first packet meets.
    case nat([[Program.Entry]])
    case conntrack
    case reassembly
  }

  /// Stations of one priority, the last registered first.
  struct Group {
    var priority: Int32
    var stations: [Station]
    /// Whether only the order of base chains is open, so that the listed one may be taken.
    var isOfChains = true
  }

  /// By hook number and family.
  private var groups: [[Group]] = []

  init(_ program: Program) {
    for hook in Hook.allCases {
      for family in Family.allCases {
        groups.append(Self.groups(program, hook, family))
      }
    }
  }

  func groups(_ hook: Hook, _ family: Family) -> [Group] {
    let number = Hook.allCases.firstIndex(of: hook) ?? 0
    return groups[number * Family.allCases.count + (Family.allCases.firstIndex(of: family) ?? 0)]
  }

  private static func groups(
    _ program: Program, _ hook: Hook, _ family: Family
  ) -> [Group] {
    let entries = program.entries[Int(hook.rawValue)].filter { $0.meets(family) }
    var groups: [Group] = []
    func add(_ station: Station, _ priority: Int32, isChain: Bool) {
      let place = groups.firstIndex { $0.priority >= priority } ?? groups.count
      if place < groups.count, groups[place].priority == priority {
        groups[place].stations.append(station)
        groups[place].isOfChains = groups[place].isOfChains && isChain
      } else {
        groups.insert(
          Group(priority: priority, stations: [station], isOfChains: isChain), at: place)
      }
    }
    for entry in entries where !entry.isNAT { add(.chain(entry), entry.priority, isChain: true) }
    var nat: [[Program.Entry]] = []
    for entry in entries where entry.isNAT {
      if nat.last?[0].priority == entry.priority {
        nat[nat.count - 1].append(entry)
      } else {
        nat.append([entry])
      }
    }
    switch hook {
    case .prerouting, .output:
      add(.reassembly, -400, isChain: false)
      add(.conntrack, -200, isChain: false)
      add(.nat(nat), -100, isChain: false)
    case .input, .postrouting: add(.nat(nat), 100, isChain: false)
    default: break
    }
    return groups
  }
}

extension Program.Entry {
  /// Whether the chain sees packets of a family.
  func meets(_ family: Family) -> Bool {
    switch families {
    case .ip: family == .ipv4
    case .ip6: family == .ipv6
    default: true
    }
  }
}
