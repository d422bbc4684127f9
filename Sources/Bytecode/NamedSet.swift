public import NetworkTypes

/// `NFT_SET_*` flags of a set.
public struct SetFlags: OptionSet, Hashable, Sendable {
  /// The bits as netlink carries them.
  public let rawValue: UInt32
  /// Any bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Made for one rule and gone with it.
  public static let anonymous = SetFlags(rawValue: 1)
  /// Never changed after its rule was added.
  public static let constant = SetFlags(rawValue: 2)
  /// Elements are ranges.
  public static let interval = SetFlags(rawValue: 4)
  /// Elements carry data.
  public static let map = SetFlags(rawValue: 8)
  /// Elements may expire.
  public static let timeout = SetFlags(rawValue: 16)
  /// Rules may add elements.
  public static let evaluated = SetFlags(rawValue: 32)
  /// Elements refer to objects.
  public static let object = SetFlags(rawValue: 64)
  /// Ranges in a concatenated key.
  public static let concatenation = SetFlags(rawValue: 128)
  /// Elements carry expressions.
  public static let expressions = SetFlags(rawValue: 256)
  /// Every bit Linux 6.18 knows.
  public static let known = SetFlags(rawValue: 511)
}

/// One element of a set or map.
public struct SetElement: Hashable, Sendable {
  /// The key as the kernel holds it, each field padded to 4 bytes in concatenations; the lower
  /// bound of a range.
  ///
  /// Empty for the catch-all element.
  public var key: [UInt8]
  /// The upper bound of a range, inside; nil for a single value.
  public var keyEnd: [UInt8]?
  /// Whether it is the catch-all element `*`.
  public var isCatchAll: Bool
  /// The verdict, in a verdict map.
  public var verdict: Verdict?
  /// The data, in a map of another type.
  public var data: [UInt8]?
  /// Milliseconds until it expires, counted from adding; nil for never.
  public var timeoutMilliseconds: UInt64?
  /// Milliseconds until it expires, counted from reading; nil when it never does or was not read.
  public var expirationMilliseconds: UInt64?
  /// The object it refers to, in an object map.
  public var object: String?
  /// What it carries: counters, limits and the like, evaluated after a hit.
  public var expressions: [Expression]
  /// The comment that `nft list` shows.
  public var comment: String?

  /// Makes an element.
  public init(
    key: [UInt8], keyEnd: [UInt8]? = nil, isCatchAll: Bool = false, verdict: Verdict? = nil,
    data: [UInt8]? = nil, timeoutMilliseconds: UInt64? = nil,
    expirationMilliseconds: UInt64? = nil, object: String? = nil, expressions: [Expression] = [],
    comment: String? = nil
  ) {
    self.key = key
    self.keyEnd = keyEnd
    self.isCatchAll = isCatchAll
    self.verdict = verdict
    self.data = data
    self.timeoutMilliseconds = timeoutMilliseconds
    self.expirationMilliseconds = expirationMilliseconds
    self.object = object
    self.expressions = expressions
    self.comment = comment
  }

  /// The element without what changes by itself: the time left, and counts of its expressions.
  public var withoutState: SetElement {
    var element = self
    element.expirationMilliseconds = nil
    if !expressions.isEmpty { element.expressions = expressions.map(\.withoutState) }
    return element
  }

  /// The catch-all element with a verdict.
  public static func catchAll(_ verdict: Verdict, comment: String? = nil) -> SetElement {
    SetElement(key: [], isCatchAll: true, verdict: verdict, comment: comment)
  }
}

/// What a set holds.
///
/// Ranges are disjoint in every case.
///
/// Plain address sets are kept as intervals, 8 or 32 bytes each, so that a million costs little.
public enum SetContent: Hashable, Sendable {
  /// Any elements, in the order the kernel should get them.
  case elements([SetElement])
  /// IPv4 addresses without data, of key type `ipv4Address` or 4-byte `integer`.
  case ipv4(IntervalSet<UInt32>)
  /// IPv6 addresses without data, of key type `ipv6Address`.
  case ipv6(IntervalSet<UInt128>)

  /// How many elements or ranges.
  public var count: Int {
    switch self {
    case .elements(let elements): elements.count
    case .ipv4(let set): set.intervals.count
    case .ipv6(let set): set.intervals.count
    }
  }
}

/// A set or map of a table.
public struct NamedSet: Hashable, Sendable {
  /// The name; anonymous sets are called `__set0`, `__map0`, … in order of appearance.
  public var name: String
  /// The flags.
  public var flags: SetFlags
  /// The key's fields; more than one is a concatenation.
  ///
  /// One field of the whole length when the kernel does not tell the fields of a concatenation.
  public var key: [KeyType]
  /// Whether data are verdicts (a verdict map).
  public var isVerdictMap: Bool
  /// Data type of a map that is no verdict map.
  public var dataType: KeyType?
  /// The size hint given to the kernel (`NFTA_SET_DESC_SIZE`); nil for none.
  public var size: UInt32?
  /// The default timeout of its elements (`timeout`); nil for none.
  public var timeoutMilliseconds: UInt64?
  /// How often expired elements are cleared away (`gc-interval`); nil for the kernel's default.
  public var gcIntervalMilliseconds: UInt32?
  /// `NFT_SET_POL_*`: 0 performance, 1 memory; nil when not told.
  public var policy: UInt32?
  /// What each new element carries: counters, limits and the like.
  public var expressions: [Expression]
  /// The type of the objects of an object map, `NFT_OBJECT_*`.
  public var objectType: UInt32?
  /// The comment that `nft list` shows.
  public var comment: String?
  /// For `typeof` sets over raw loads: the expression whose type the key has.
  public var typeof: PayloadLoad?
  /// Whether the contents are runtime state (answers of names), not part of the policy.
  public var isRuntimeState: Bool
  /// What it holds.
  public var content: SetContent
  /// Which policy line it came from, when the compiler made it.
  public var provenance: Provenance?
  /// What was read of it and of its elements but is not modelled; with any, nothing about it is sure.
  public var unknown: [UnknownItem]

  /// Makes a set; a `typeof` gives a key of raw bytes its length.
  public init(
    name: String, flags: SetFlags = [], key: [KeyType], isVerdictMap: Bool = false,
    dataType: KeyType? = nil, size: UInt32? = nil, timeoutMilliseconds: UInt64? = nil,
    gcIntervalMilliseconds: UInt32? = nil, policy: UInt32? = nil, expressions: [Expression] = [],
    objectType: UInt32? = nil, comment: String? = nil, typeof: PayloadLoad? = nil,
    isRuntimeState: Bool = false, content: SetContent, provenance: Provenance? = nil,
    unknown: [UnknownItem] = []
  ) {
    self.name = name
    self.flags = flags
    self.key =
      key == [.integer] && typeof != nil
      ? [.integer(lengthBytes: Int(typeof?.lengthBytes ?? 4))] : key
    self.isVerdictMap = isVerdictMap
    self.dataType = dataType
    self.size = size
    self.timeoutMilliseconds = timeoutMilliseconds
    self.gcIntervalMilliseconds = gcIntervalMilliseconds
    self.policy = policy
    self.expressions = expressions
    self.objectType = objectType
    self.comment = comment
    self.typeof = typeof
    self.isRuntimeState = isRuntimeState
    self.content = content
    self.provenance = provenance
    self.unknown = unknown
  }

  /// Bytes of a whole key: each field padded to 4 in a concatenation.
  public var keyLengthBytes: Int {
    key.count == 1
      ? key[0].lengthBytes : key.reduce(0) { $0 + ($1.lengthBytes + 3) / 4 * 4 }
  }
}
