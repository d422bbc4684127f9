// Attributes that may be missing: nil inside when they are, and nil outside when they are there and
// unreadable, so that `guard let` tells the two apart.
extension Span<UInt8> {
  func optionalByte(_ range: Range<Int>?) -> UInt8?? {
    range == nil ? .some(nil) : byte(range).map { .some($0) }
  }

  func optionalUInt16(_ range: Range<Int>?) -> UInt16?? {
    range == nil ? .some(nil) : uint16(range).map { .some($0) }
  }

  func optionalUInt32(_ range: Range<Int>?) -> UInt32?? {
    range == nil ? .some(nil) : uint32(range).map { .some($0) }
  }

  func optionalUInt64(_ range: Range<Int>?) -> UInt64?? {
    range == nil ? .some(nil) : uint64(range).map { .some($0) }
  }

  func optionalName(_ range: Range<Int>?) -> String?? {
    range == nil ? .some(nil) : name(range).map { .some($0) }
  }

  func optionalDataValue(_ range: Range<Int>?) -> [UInt8]?? {
    range == nil ? .some(nil) : dataValue(range).map { .some($0) }
  }
}
