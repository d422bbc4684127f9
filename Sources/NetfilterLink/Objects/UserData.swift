import Bytecode

/// The bytes nft keeps beside kernel objects, for listing: type, length, value, repeated.
///
/// The kernel never reads them. Written exactly as nft 1.0.6 does, so that its listing of our
/// objects is the same as of its own; read defensively, because any program may have written them.
///
/// Source: `libnftnl/udata.h`; nftables 1.0.6 `src/mnl.c`, `src/netlink_linearize.c`.
enum UserData {
  /// `NFTNL_UDATA_*_COMMENT` of tables, chains, rules, objects and elements.
  private static let comment: UInt8 = 0
  /// `NFTNL_UDATA_SET_ELEM_FLAGS`.
  private static let elementFlags: UInt8 = 1

  private enum SetField: UInt8 {
    case keyByteOrder = 0
    case dataByteOrder = 1
    case mergeElements = 2
    case keyTypeof = 3
    case dataTypeof = 4
    case expression = 5
    case dataInterval = 6
    case comment = 7
  }

  /// The data of an object with an optional comment; empty without.
  ///
  /// - Throws: when the comment is longer than nft can read back or would break its syntax.
  static func encode(comment text: String?) throws(KernelError) -> [UInt8] {
    guard let text else { return [] }
    return try field(comment, terminated: text)
  }

  /// The data of the last element of an open range, or of one with a comment; empty for neither.
  static func encode(elementComment: String?, isOpen: Bool) throws(KernelError) -> [UInt8] {
    let text = try encode(comment: elementComment)
    return isOpen ? text + field(elementFlags, number: 1) : text
  }

  /// The comment in the data of any object but a set.
  static func comment(in bytes: [UInt8]) -> String? {
    fields(of: bytes)?.first { $0.type == comment }.flatMap { string($0.value) }
  }

  /// The data of a set.
  static func encode(_ set: NamedSet) throws(KernelError) -> [UInt8] {
    var bytes = field(SetField.keyByteOrder.rawValue, number: set.keyByteOrder)
    let isMap = set.flags.contains(.map)
    if isMap {
      bytes += field(SetField.dataByteOrder.rawValue, number: set.dataType?.byteOrder ?? 0)
    }
    let typeof = set.keyTypeof
    if let typeof { bytes += field(SetField.keyTypeof.rawValue, typeof) }
    if set.isVerdictMap && (typeof != nil || set.flags.contains(.anonymous)) {
      bytes += field(SetField.dataTypeof.rawValue, verdictTypeof)
    }
    if isMap { bytes += field(SetField.dataInterval.rawValue, number: 0) }
    if let text = set.comment { bytes += try field(SetField.comment.rawValue, terminated: text) }
    return bytes
  }

  /// The comment and the raw load a set's data tell of.
  static func setFields(in bytes: [UInt8]) -> (comment: String?, typeof: PayloadLoad?) {
    guard let all = fields(of: bytes) else { return (nil, nil) }
    let text = all.first { $0.type == SetField.comment.rawValue }.flatMap { string($0.value) }
    let typeof = all.first { $0.type == SetField.keyTypeof.rawValue }
    return (text, typeof.flatMap { rawLoad($0.value) })
  }

  // MARK: Typeof

  /// nft's expression numbers (`enum expr_types`).
  private enum ExpressionKind: UInt32 {
    case verdict = 1
    case payload = 7
  }

  private static let verdictTypeof = expression(.verdict, [])

  private static func expression(_ kind: ExpressionKind, _ data: [UInt8]) -> [UInt8] {
    field(0, number: kind.rawValue) + field(1, data)
  }

  /// `typeof @nh,128,32`.
  fileprivate static func typeof(_ load: PayloadLoad) -> [UInt8] {
    expression(
      .payload,
      field(0, number: 0) + field(1, number: 0) + field(2, number: load.base.rawValue + 1)
        + field(3, number: load.offsetBytes * 8) + field(4, number: load.lengthBytes * 8))
  }

  private static func rawLoad(_ bytes: [UInt8]) -> PayloadLoad? {
    guard let outer = fields(of: bytes), let kind = number(outer, 0),
      kind == ExpressionKind.payload.rawValue,
      let inner = outer.first(where: { $0.type == 1 }).flatMap({ fields(of: $0.value) }),
      number(inner, 0) == 0, number(inner, 1) == 0,
      let base = number(inner, 2).flatMap({ $0 > 0 ? PayloadBase(rawValue: $0 - 1) : nil }),
      let offset = number(inner, 3), let length = number(inner, 4),
      offset % 8 == 0, length % 8 == 0
    else { return nil }
    return PayloadLoad(
      base, offsetBytes: offset / 8, lengthBytes: length / 8, into: Register(word: 0))
  }

  // MARK: Type, length, value

  private static func field(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
    [type, UInt8(value.count)] + value
  }

  private static func field(_ type: UInt8, number value: UInt32) -> [UInt8] {
    field(type, (0..<4).map { UInt8(value >> (8 * $0) & 0xff) })
  }

  private static func field(_ type: UInt8, terminated text: String) throws(KernelError) -> [UInt8] {
    let bytes = Array(text.utf8)
    let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x22 && $0 != 0x7f }
    guard bytes.count <= 127, isPlain else {
      throw KernelError(
        operation: "encoding comment \"\(text)\"",
        cause: .notExpressible("nft reads at most 127 bytes without quotes or control characters"))
    }
    return field(type, bytes + [0])
  }

  private static func fields(of bytes: [UInt8]) -> [(type: UInt8, value: [UInt8])]? {
    var all: [(type: UInt8, value: [UInt8])] = []
    var index = 0
    while index < bytes.count {
      guard index + 2 <= bytes.count, index + 2 + Int(bytes[index + 1]) <= bytes.count
      else { return nil }
      let end = index + 2 + Int(bytes[index + 1])
      all.append((bytes[index], Array(bytes[index + 2..<end])))
      index = end
    }
    return all
  }

  private static func number(_ fields: [(type: UInt8, value: [UInt8])], _ type: UInt8) -> UInt32? {
    guard let value = fields.first(where: { $0.type == type })?.value, value.count == 4
    else { return nil }
    return value.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func string(_ value: [UInt8]) -> String? {
    guard value.last == 0, !value.dropLast().contains(0) else { return nil }
    return String(validating: value.dropLast(), as: UTF8.self)
  }
}

extension NamedSet {
  /// nft's byte order of the whole key; none for a concatenation.
  fileprivate var keyByteOrder: UInt32 { key.count == 1 ? key[0].byteOrder : 0 }

  /// nft's description of what the key was taken from, where a listing depends on it.
  fileprivate var keyTypeof: [UInt8]? {
    typeof.map { UserData.typeof($0) }
  }
}
