import NetworkTypes

/// The records of a DNS answer that lead from a name to its addresses.
///
/// Source: RFC 1035 section 4.1, RFC 3596 section 2.2, RFC 2181 sections 5.2, 8 and 10.1.
struct AddressAnswer {
  private struct Alias {
    var target: DomainName
    var timeToLive: UInt32
  }

  private struct Address {
    var owner: DomainName
    var timeToLive: UInt32
    var value: IPAddress
  }

  /// More aliases in a row than any honest zone has.
  private static let mostAliases = 16

  private let question: DomainName
  private var aliases: [DomainName: Alias] = [:]
  private var addresses: [Address] = []

  /// Decodes the answer section of a whole message; other record types are passed over.
  init(message: [UInt8], family: Family) throws(MalformedMessage) {
    var reader = MessageReader(message)
    _ = try reader.number16()
    let flags = try reader.number16()
    let isAnswer = flags & 0x8000 != 0
    let isTruncated = flags & 0x0200 != 0
    let questions = try reader.number16()
    let answers = try reader.number16()
    _ = try reader.number32()
    guard isAnswer, !isTruncated, questions == 1 else { throw MalformedMessage() }
    question = try reader.name()
    let type = try reader.number16()
    let networkClass = try reader.number16()
    guard type == RecordType(family).rawValue, networkClass == 1 else { throw MalformedMessage() }
    for _ in 0..<answers { try readRecord(&reader, family: family) }
  }

  private mutating func readRecord(
    _ reader: inout MessageReader, family: Family
  ) throws(MalformedMessage) {
    let owner = try reader.name()
    let type = try reader.number16()
    let networkClass = try reader.number16()
    let timeToLive = try reader.number32()
    let length = Int(try reader.number16())
    let end = reader.position + length
    // A time to live with the top bit set counts as zero: RFC 2181 section 8.
    let seconds = timeToLive >> 31 == 0 ? timeToLive : 0
    switch (networkClass, RecordType(rawValue: type)) {
    case (1, .cname):
      var alias = Alias(target: try reader.name(), timeToLive: seconds)
      if let other = aliases[owner] {
        guard other.target == alias.target else { throw MalformedMessage() }
        alias.timeToLive = min(alias.timeToLive, other.timeToLive)
      }
      aliases[owner] = alias
    case (1, RecordType(family)):
      guard let value = IPAddress(networkOrderBytes: try reader.data(length)),
        value.family == family
      else { throw MalformedMessage() }
      addresses.append(Address(owner: owner, timeToLive: seconds, value: value))
    default:
      _ = try reader.data(length)
    }
    guard reader.position == end else { throw MalformedMessage() }
  }

  /// Follows the aliases from the question; records of other names are not answers and do not count.
  func records(for name: DomainName) -> Result<AddressRecords, LookupFailure> {
    guard question == name else { return .failure(.malformed) }
    var owner = name
    var way: [String] = []
    var timeToLive = UInt32.max
    while let alias = aliases[owner] {
      guard way.count < AddressAnswer.mostAliases else { return .failure(.malformed) }
      owner = alias.target
      timeToLive = min(timeToLive, alias.timeToLive)
      way.append(owner.description)
    }
    let owned = addresses.filter { $0.owner == owner }
    guard !owned.isEmpty else { return .failure(.noAddress) }
    return .success(
      AddressRecords(
        addresses: owned.map(\.value),
        timeToLive: owned.reduce(timeToLive) { min($0, $1.timeToLive) },
        aliases: way))
  }
}

/// The record types that lead to addresses; the raw value is the number of RFC 1035 and 3596.
enum RecordType: UInt16 {
  case a = 1
  case cname = 5
  case aaaa = 28

  /// The type of a family's address records.
  init(_ family: Family) {
    switch family {
    case .ipv4: self = .a
    case .ipv6: self = .aaaa
    }
  }
}
