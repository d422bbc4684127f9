/// What `-m owner` asks of the socket's file that the packet was sent by; without one only
/// ``socketExists`` false matches.
///
/// Source: `owner_mt`, `net/netfilter/xt_owner.c`.
public struct OwnerMatch: Hashable, Sendable {
  /// The owner; nil when not asked for.
  public var users: ClosedRange<UInt32>?
  /// Whether the owner must be another.
  public var areUsersInverted: Bool
  /// The group; nil when not asked for.
  public var groups: ClosedRange<UInt32>?
  /// Whether the group must be another.
  public var areGroupsInverted: Bool
  /// Whether supplementary groups count.
  public var includesSupplementary: Bool
  /// Whether there must be a socket with a file, or none; nil when not asked for.
  public var socketExists: Bool?

  /// Makes it.
  public init(
    users: ClosedRange<UInt32>? = nil, areUsersInverted: Bool = false,
    groups: ClosedRange<UInt32>? = nil, areGroupsInverted: Bool = false,
    includesSupplementary: Bool = false, socketExists: Bool? = nil
  ) {
    self.users = users
    self.areUsersInverted = areUsersInverted
    self.groups = groups
    self.areGroupsInverted = areGroupsInverted
    self.includesSupplementary = includesSupplementary
    self.socketExists = socketExists
  }
}

/// What `-m mark` and `-m connmark` ask of a mark: `mark & mask == value`.
///
/// Source: `mark_mt`, `net/netfilter/xt_mark.c`; `connmark_mt`, `xt_connmark.c`.
public struct MaskedMark: Hashable, Sendable {
  /// The value.
  public var value: UInt32
  /// Which bits count.
  public var mask: UInt32
  /// Whether everything but that matches.
  public var isInverted: Bool

  /// Makes it.
  public init(
    _ value: UInt32, mask: UInt32, isInverted: Bool = false
  ) {
    self.value = value
    self.mask = mask
    self.isInverted = isInverted
  }
}

/// What `-m set` asks of a set of ipset, which is not part of nf_tables.
///
/// Source: `set_match_v4`, `net/netfilter/xt_set.c`.
public struct AddressSetMatch: Hashable, Sendable {
  /// The set's number in its namespace.
  public var index: UInt16
  /// How many fields of the packet are looked up.
  public var dimensions: UInt8
  /// Bit n for a field n, 1 first, that is taken from the source.
  public var sources: UInt8
  /// Whether the packet must not be in the set.
  public var isInverted: Bool
  /// Conditions on packets and bytes of the element; empty when not asked for.
  public var counters: [CounterCondition]
  /// `IPSET_FLAG_*` beside.
  public var flags: UInt32

  /// Makes it.
  public init(
    index: UInt16, dimensions: UInt8, sources: UInt8, isInverted: Bool = false,
    counters: [CounterCondition] = [], flags: UInt32 = 0
  ) {
    self.index = index
    self.dimensions = dimensions
    self.sources = sources
    self.isInverted = isInverted
    self.counters = counters
    self.flags = flags
  }
}

/// A condition on a counter of an ipset element.
public struct CounterCondition: Hashable, Sendable {
  /// Bytes instead of packets.
  public var isBytes: Bool
  /// 1 equal, 2 not equal, 3 less, 4 greater.
  public var operation: UInt8
  /// The number.
  public var value: UInt64

  /// Makes it.
  public init(
    isBytes: Bool, operation: UInt8, value: UInt64
  ) {
    self.isBytes = isBytes
    self.operation = operation
    self.value = value
  }
}

/// What `-m cgroup` asks of the socket's cgroup; a packet without a full socket does not match.
///
/// Source: `net/netfilter/xt_cgroup.c`.
public enum CgroupMatch: Hashable, Sendable {
  /// Its class id (net_cls), or another.
  case classID(UInt32, isInverted: Bool)
  /// Whether it is a cgroup of the unified hierarchy or below it, or elsewhere.
  case path(String, isInverted: Bool)
}

extension OwnerMatch {
  /// `struct xt_owner_match_info`, revision 1.
  init?(_ info: [UInt8]) {
    guard var reader = StructureReader(info, size: 20) else { return nil }
    let users: (UInt32, UInt32) = (reader.take(), reader.take())
    let groups: (UInt32, UInt32) = (reader.take(), reader.take())
    let asked: UInt8 = reader.take()
    let inverted: UInt8 = reader.take()
    guard asked <= 15, inverted <= 15, users.0 <= users.1, groups.0 <= groups.1 else { return nil }
    self.init(
      users: asked & 1 != 0 ? users.0...users.1 : nil, areUsersInverted: inverted & 1 != 0,
      groups: asked & 2 != 0 ? groups.0...groups.1 : nil, areGroupsInverted: inverted & 2 != 0,
      includesSupplementary: asked & 8 != 0,
      socketExists: asked & 4 != 0 ? inverted & 4 == 0 : nil)
  }
}

extension MaskedMark {
  /// `struct xt_mark_mtinfo1`, `struct xt_connmark_mtinfo1`.
  init?(_ info: [UInt8]) {
    guard var reader = StructureReader(info, size: 12) else { return nil }
    let value: UInt32 = reader.take()
    let mask: UInt32 = reader.take()
    self.init(value, mask: mask, isInverted: reader.takeFlag())
  }
}

extension AddressSetMatch {
  /// `struct xt_set_info_match_v1`, also of revision 2, `_v3` and `_v4`, by revision.
  init?(_ info: [UInt8], revision: UInt32) {
    guard (1...4).contains(revision),
      var reader = StructureReader(info, size: revision <= 2 ? 4 : 44)
    else { return nil }
    let index: UInt16 = reader.take()
    let dimensions: UInt8 = reader.take()
    let flags: UInt8 = reader.take()
    var counters: [CounterCondition] = []
    var beside: UInt32 = 0
    if revision >= 3 {
      for isBytes in [false, true] {
        reader.align(8)
        let first: UInt64 = reader.take()
        let second: UInt64 = reader.take()
        // Revision 3 has the operator before the value.
        let operation = UInt8(truncatingIfNeeded: revision == 3 ? first : second)
        let value = revision == 3 ? second : first
        guard operation <= 4 else { return nil }
        if operation != 0 {
          counters.append(CounterCondition(isBytes: isBytes, operation: operation, value: value))
        }
      }
      beside = reader.take()
    }
    self.init(
      index: index, dimensions: dimensions, sources: flags & ~1, isInverted: flags & 1 != 0,
      counters: counters, flags: beside)
  }
}

extension CgroupMatch {
  /// `struct xt_cgroup_info_v0`, `_v1`, `_v2`, by revision.
  init?(_ info: [UInt8], revision: UInt32) {
    if revision == 0 {
      guard var reader = StructureReader(info, size: 8) else { return nil }
      let number: UInt32 = reader.take()
      self = .classID(number, isInverted: reader.take(UInt32.self) != 0)
      return
    }
    let sizes: [UInt32: (pathBytes: Int, total: Int)] = [1: (4096, 4112), 2: (512, 528)]
    guard let size = sizes[revision], var reader = StructureReader(info, size: size.total) else {
      return nil
    }
    let asked = (path: reader.takeFlag(), classID: reader.takeFlag())
    let inverted = (path: reader.takeFlag(), classID: reader.takeFlag())
    guard asked.path != asked.classID else { return nil }
    if asked.path {
      guard let path = reader.takeText(size.pathBytes) else { return nil }
      self = .path(path, isInverted: inverted.path)
    } else {
      if revision == 1 { reader.skip(size.pathBytes) }
      self = .classID(reader.take(), isInverted: inverted.classID)
    }
  }
}
