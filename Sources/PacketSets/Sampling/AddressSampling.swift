public import NetworkTypes

/// Lets a few addresses stand for all, so that a list of a million prefixes costs no more than what
/// rules do with it.
///
/// Diagrams that have a sampling note every test of an address that is made in them. The first run
/// only notes, and its answers mean nothing. ``refined()`` then chooses addresses that stand for all
/// others: no test tells an address from the one that stands for it. In a second run the tests are
/// made only of those, and what is computed within ``PacketDiagrams/sampledAddresses()`` holds for
/// every address, as long as ``isFaithful`` says that no test came up that was not noted before.
///
/// Example:
/// ```
/// var sampling: AddressSampling? = AddressSampling()
/// repeat {
///   var diagrams = PacketDiagrams(sampling: sampling)
///   // … compute …
///   if diagrams.sampling?.isFaithful ?? true { break }
///   sampling = diagrams.sampling?.refined()
/// } while true
/// ```
public struct AddressSampling: Sendable {
  /// What is done with one of the two addresses of a packet.
  enum Mode: Sendable {
    /// Tests are noted, and made of next to nothing.
    case notes
    /// Tests are made of the sample.
    case samples(AddressSample)
    /// Tests are made of every address.
    case whole
  }

  /// One of the two addresses.
  struct End: Sendable {
    var mode = Mode.notes
    var tests = AddressTests()
    /// Whether a test came up that the sample does not know.
    var isStale = false
    /// Whether the address of a packet changes on its way, which samples do not follow.
    var isChanged = false
  }

  /// Fewer intervals than this, in all tests of an address together, are not worth a sample.
  public let leastIntervals: Int
  /// The destination and the source.
  var ends = [End(), End()]

  /// Makes a sampling that knows no test yet.
  ///
  /// - Parameter leastIntervals: fewer intervals than this, in all tests of an address together, are
  ///   computed with as they are.
  public init(leastIntervals: Int = 8192) { self.leastIntervals = leastIntervals }

  /// Whether what was computed holds for every address.
  public var isFaithful: Bool {
    ends.allSatisfy { end in
      switch end.mode {
      case .notes: false
      case .samples: !end.isStale && !end.isChanged
      case .whole: true
      }
    }
  }

  /// A sampling that knows every test noted so far; nil when a sample would be of no use.
  ///
  /// O(n log n) in all intervals of the tests.
  public func refined() -> AddressSampling? {
    var next = AddressSampling(leastIntervals: leastIntervals)
    var isOfUse = false
    for (place, end) in ends.enumerated() {
      next.ends[place].mode = .whole
      if case .whole = end.mode { continue }
      guard !end.isChanged, end.tests.intervalCount >= leastIntervals,
        let sample = AddressSample(end.tests)
      else { continue }
      next.ends[place] = End(mode: .samples(sample), tests: end.tests)
      isOfUse = true
    }
    return isOfUse ? next : nil
  }
}

extension AddressSampling {
  /// Notes a test of an address, and tells what is done with that address.
  mutating func note(_ end: Int, _ takes: (inout AddressTests) -> Bool) -> Mode {
    switch ends[end].mode {
    case .whole: break
    case .notes: _ = takes(&ends[end].tests)
    case .samples: if takes(&ends[end].tests) { ends[end].isStale = true }
    }
    return ends[end].mode
  }
}

extension PacketField {
  /// Which address the field is a word of, 0 the destination, and which word; nil for other fields.
  var addressWord: (end: Int, word: Int)? {
    switch self {
    case .destination0, .destination1, .destination2, .destination3:
      (0, Int(rawValue - PacketField.destination0.rawValue))
    case .source0, .source1, .source2, .source3:
      (1, Int(rawValue - PacketField.source0.rawValue))
    default: nil
    }
  }
}

extension PacketDiagrams {
  /// Longer tests are cut while they are only noted.
  private static var notedIntervals: Int { 64 }

  /// The packets whose addresses stand for all; every packet without a sampling.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func sampledAddresses() throws(PacketSetError) -> Diagram {
    guard let sampling else { return .everything }
    if let sampledPackets { return sampledPackets }
    var result = Diagram.everything
    for (end, words) in zip(sampling.ends, [PacketField.destination, PacketField.source]) {
      guard case .samples(let sample) = end.mode else { continue }
      let four = try whole(words[3], sample.four)
      var pieces: [WidePiece] = []
      for (upper, last) in sample.six {
        pieces.append(WidePiece(upper.first, upper.last, try whole(words[3], last)))
      }
      let six = try whole(Array(words.prefix(3)), pieces[...], otherwise: .nothing)
      let isIPv4 = try set(.family, 0)
      result = try intersection(result, choose(isIPv4, four, six))
    }
    sampledPackets = result
    return result
  }

  /// Notes a test of a word of an address, and tells what is left of it.
  mutating func sampled(
    _ field: PacketField, _ values: IntervalSet<UInt32>
  ) -> IntervalSet<UInt32> {
    let family = addressFamily
    guard let (end, word) = field.addressWord,
      let mode = sampling?.note(end, { $0.note(IntervalLabels(values), word: word, family) })
    else { return values }
    switch mode {
    case .whole: return values
    case .notes:
      return values.intervals.count <= Self.notedIntervals
        ? values : IntervalSet(canonical: values.intervals.prefix(1))
    case .samples(let sample):
      return word == 3 ? values.intersection(sample.lastWords(family)) : values
    }
  }

  /// Notes a test of an address, and tells what is left of it.
  mutating func sampled(
    _ words: [PacketField], _ values: IntervalSet<UInt128>
  ) -> IntervalSet<UInt128> {
    let family = addressFamily
    guard words.count == 4, let end = words[0].addressWord?.end,
      let mode = sampling?.note(end, { $0.note(IntervalLabels(values), family) })
    else { return values }
    switch mode {
    case .whole: return values
    case .notes:
      return values.intervals.count <= Self.notedIntervals
        ? values : IntervalSet(canonical: values.intervals.prefix(1))
    case .samples(let sample): return values.intersection(sample.boxes)
    }
  }

  /// Notes a selection by a word of an address, and tells which pieces are left.
  mutating func sampled(
    _ field: PacketField, _ pieces: [(Interval<UInt32>, Diagram)], _ otherwise: Diagram
  ) -> [(Interval<UInt32>, Diagram)] {
    let family = addressFamily
    guard let (end, word) = field.addressWord, sampling != nil else { return pieces }
    let test = IntervalLabels(pieces.map { ($0.0, $0.1.id) }, otherwise: otherwise.id)
    switch sampling?.note(end, { $0.note(test, word: word, family) }) {
    case nil, .whole: return pieces
    case .notes: return Array(pieces.prefix(Self.notedIntervals))
    case .samples(let sample):
      guard word == 3 else { return pieces }
      let lastWords = sample.lastWords(family)
      return pieces.filter { IntervalSet([$0.0]).intersects(lastWords) }
    }
  }

  /// Notes a selection by an address, and tells which pieces are left.
  mutating func sampled(
    _ words: [PacketField], _ pieces: ArraySlice<WidePiece>, _ otherwise: Diagram
  ) -> ArraySlice<WidePiece> {
    let family = addressFamily
    guard words.count == 4, let end = words[0].addressWord?.end, sampling != nil else {
      return pieces
    }
    let test = IntervalLabels(
      pieces.map { (Interval($0.first, $0.last), $0.function.id) }, otherwise: otherwise.id)
    switch sampling?.note(end, { $0.note(test, family) }) {
    case nil, .whole: return pieces
    case .notes: return pieces.prefix(Self.notedIntervals)
    case .samples(let sample):
      return pieces.filter { piece in
        IntervalSet([Interval(piece.first, piece.last)]).intersects(sample.boxes)
      }[...]
    }
  }

  /// The family of all packets of a set; nil when there are both, or none.
  public func family(of packets: Diagram) -> Family? {
    guard packets.id >= 0, level(packets.id) == Int(PacketField.family.rawValue) else { return nil }
    if child(of: packets.id, at: 1) == Diagram.nothing.id { return .ipv4 }
    return child(of: packets.id, at: 0) == Diagram.nothing.id ? .ipv6 : nil
  }

  /// Notes that fields of packets change on their way.
  mutating func noteChanges(of fields: some Sequence<PacketField>) {
    for field in fields {
      if let (end, _) = field.addressWord { sampling?.ends[end].isChanged = true }
    }
  }
}
