import Bytecode
import CNetfilter

extension NamedSet {
  /// Reads a `NFT_MSG_NEWSET`, without elements; what has no place in the model goes to its
  /// `unknown`.
  ///
  /// - Throws: when it has no name or no key.
  init(
    _ message: Span<UInt8>, _ fields: AttributeFields
  ) throws(MalformedAttribute) {
    guard let name = message.name(fields[NFTA_SET_NAME]),
      let keyLength = message.uint32(fields[NFTA_SET_KEY_LEN]), (1...64).contains(keyLength)
    else { throw MalformedAttribute(place: "a set without a name or a key") }
    let flags = SetFlags(rawValue: message.uint32(fields[NFTA_SET_FLAGS]) ?? 0)
    let dataNumber = message.uint32(fields[NFTA_SET_DATA_TYPE])
    let isVerdictMap = flags.contains(.map) && dataNumber == NamedSet.verdictDataType
    var dataType: KeyType?
    if flags.contains(.map), !isVerdictMap {
      dataType = KeyType(
        rawValue: dataNumber ?? 0,
        lengthBytes: Int(message.uint32(fields[NFTA_SET_DATA_LEN]) ?? 0))
    }
    let description = try SetDescription(message, fields[NFTA_SET_DESC])
    let described = UserData.setFields(
      in: fields[NFTA_SET_USERDATA].map { message.bytes($0) } ?? [])
    self.init(
      name: name, flags: flags,
      key: KeyType.fields(
        of: message.uint32(fields[NFTA_SET_KEY_TYPE]) ?? 0, totalBytes: Int(keyLength),
        lengths: description.fieldLengths),
      isVerdictMap: isVerdictMap, dataType: dataType,
      size: flags.contains(.anonymous) ? nil : description.size,
      timeoutMilliseconds: message.uint64(fields[NFTA_SET_TIMEOUT]),
      gcIntervalMilliseconds: message.uint32(fields[NFTA_SET_GC_INTERVAL]),
      policy: message.uint32(fields[NFTA_SET_POLICY]),
      expressions: try Expression.attached(
        message, one: fields[NFTA_SET_EXPR], list: fields[NFTA_SET_EXPRESSIONS]),
      objectType: message.uint32(fields[NFTA_SET_OBJ_TYPE]), comment: described.comment,
      content: .elements([]))
    if described.typeof?.lengthBytes == keyLength { typeof = described.typeof }
    note(description.unknown, message)
    note(fields.unknown, message)
    if !flags.isSubset(of: .known), let range = fields[NFTA_SET_FLAGS] {
      note([Attribute(type: UInt16(NFTA_SET_FLAGS.rawValue), payload: range)], message)
    }
  }

  private mutating func note(_ attributes: [Attribute], _ message: Span<UInt8>) {
    unknown.note(attributes, of: "set \(name)", message)
  }
}

/// The nest `NFTA_SET_DESC`.
private struct SetDescription {
  var size: UInt32?
  /// The lengths of a concatenation's fields in bytes; empty when they are not told.
  var fieldLengths: [Int] = []
  var unknown: [Attribute] = []

  init(_ message: Span<UInt8>, _ range: Range<Int>?) throws(MalformedAttribute) {
    guard let range else { return }
    let fields = try AttributeFields(message, range, last: Int(NFTA_SET_DESC_CONCAT.rawValue))
    unknown = fields.unknown
    size = message.uint32(fields[NFTA_SET_DESC_SIZE])
    guard let list = fields[NFTA_SET_DESC_CONCAT] else { return }
    var lengths: [Int] = []
    try message.forEachAttribute(in: list) { item throws(MalformedAttribute) in
      let field = try AttributeFields(message, item.payload, last: 1)
      guard let length = message.uint32(field[Int(NFTA_SET_FIELD_LEN.rawValue)]), length <= 64
      else { throw MalformedAttribute(place: "the fields of a set's key") }
      lengths.append(Int(length))
    }
    fieldLengths = lengths
  }
}

extension KeyType {
  /// The fields of a key from the number that nft packs their types into, six bits each.
  ///
  /// - Parameters:
  ///   - number: the key's type.
  ///   - totalBytes: the key's length, fields padded to 4 bytes.
  ///   - lengths: the lengths of the fields, if the kernel told them.
  /// - Returns: fields whose padded lengths sum up to `totalBytes`; one field of that length when
  ///   number and lengths do not fit.
  static func fields(of number: UInt32, totalBytes: Int, lengths: [Int]) -> [KeyType] {
    var numbers: [UInt32] = []
    var rest = number
    while rest != 0 {
      numbers.insert(rest & 63, at: 0)
      rest >>= 6
    }
    let whole = [KeyType(rawValue: number, lengthBytes: totalBytes)]
    let sum = { (all: [Int]) in all.reduce(0) { $0 + ($1 + 3) / 4 * 4 } }
    if lengths.count > 1, sum(lengths) == totalBytes {
      // The number has room for five fields; the types of those before are lost.
      let told = lengths.count <= 5 ? numbers : Array(numbers.suffix(5))
      let lost = [UInt32](repeating: 0, count: max(0, lengths.count - told.count))
      let types = lost + told.suffix(lengths.count)
      return zip(types, lengths).map { KeyType(rawValue: $0, lengthBytes: $1) }
    }
    guard numbers.count > 1 else { return whole }
    let known = numbers.compactMap { KeyType(rawValue: $0) }
    guard known.count == numbers.count, sum(known.map(\.lengthBytes)) == totalBytes else {
      return whole
    }
    return known
  }
}
