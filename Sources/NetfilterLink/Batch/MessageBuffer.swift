import CNetfilter
import Glibc

/// A growing buffer of netlink messages, aligned for `nlmsghdr`.
///
/// Safe because the memory is private, every write goes below `capacity` after ``reserve(_:)``, and
/// it is freed once.
@safe struct MessageBuffer: ~Copyable {
  private var base: UnsafeMutableRawPointer
  private var capacity: Int
  /// Bytes written.
  private(set) var count = 0

  init(capacity: Int = 1 << 16) {
    guard let memory = unsafe malloc(capacity) else { fatalError("no memory for a message") }
    unsafe base = memory
    self.capacity = capacity
  }

  deinit { unsafe free(base) }

  /// Makes room for so many more bytes.
  ///
  /// `realloc` moves a large buffer's pages instead of copying them, and never holds both.
  mutating func reserve(_ bytes: Int) {
    guard count + bytes > capacity else { return }
    let larger = max(capacity * 2, count + bytes)
    guard let moved = unsafe realloc(base, larger) else { fatalError("no memory for a message") }
    unsafe base = moved
    capacity = larger
  }

  /// Gives the first free byte to a C function, with room for `bytes` behind it.
  ///
  /// The function says how many bytes it wrote; the count grows by that, aligned to 4.
  mutating func write<Failure: Error>(
    atMost bytes: Int, _ body: (UnsafeMutableRawPointer) throws(Failure) -> Int
  ) throws(Failure) {
    reserve(bytes)
    let written = unsafe try body(base + count)
    precondition(written <= bytes, "a message writer wrote past its room")
    count += (written + 3) & ~3
  }

  /// Appends a number, least significant byte first on the wire.
  mutating func append(littleEndian value: UInt16) { append(raw: value.littleEndian) }

  /// Appends a number in network order.
  mutating func append(bigEndian value: UInt32) { append(raw: value.bigEndian) }

  /// Appends a number in network order.
  mutating func append(bigEndian value: UInt64) { append(raw: value.bigEndian) }

  /// Appends a number in network order.
  mutating func append(bigEndian value: UInt128) { append(raw: value.bigEndian) }

  /// Appends an attribute header: payload length without the 4 bytes of the header.
  mutating func append(attribute type: UInt16, payloadBytes: Int, isNested: Bool = false) {
    append(raw: UInt16(payloadBytes + 4))
    append(raw: type | (isNested ? UInt16(NLA_F_NESTED) : 0))
  }

  /// Appends bytes, padded with zeros to 4.
  mutating func append(padded bytes: some Collection<UInt8>) {
    reserve(bytes.count + 4)
    for byte in bytes {
      unsafe (base + count).storeBytes(of: byte, as: UInt8.self)
      count += 1
    }
    while count % 4 != 0 {
      unsafe (base + count).storeBytes(of: 0, as: UInt8.self)
      count += 1
    }
  }

  /// Appends bytes of a message as they are, padded with zeros to 4.
  mutating func append(copying source: Span<UInt8>, _ range: Range<Int>) {
    reserve(range.count + 4)
    unsafe source.extracting(range).withUnsafeBufferPointer { bytes in
      guard let start = bytes.baseAddress else { return }
      unsafe (base + count).copyMemory(from: start, byteCount: bytes.count)
    }
    count += range.count
    append(padded: [] as [UInt8])
  }

  /// Appends an attribute whose payload is what `body` appends, less than 64 KiB.
  mutating func append<Failure: Error>(
    nested type: UInt16, _ body: (inout MessageBuffer) throws(Failure) -> Void
  ) throws(Failure) {
    let start = count
    append(attribute: type, payloadBytes: 0, isNested: true)
    try body(&self)
    patch(at: start, UInt16(count - start))
  }

  /// Appends a set element that is only a key, or a key flagged as a range's end.
  ///
  /// One list entry: `{ [flags,] key { value } }`, 16 or 24 bytes for IPv4.
  @inline(__always)
  mutating func append<Key: FixedWidthInteger & BitwiseCopyable>(element key: Key, isEnd: Bool) {
    let keyBytes = MemoryLayout<Key>.size
    reserve(keyBytes + 20)
    var place = unsafe base + count
    let total = keyBytes + (isEnd ? 20 : 12)
    unsafe place.storeBytes(of: MessageBuffer.header(1, total, isNested: true), as: UInt32.self)
    unsafe place += 4
    if isEnd {
      let header = MessageBuffer.header(NFTA_SET_ELEM_FLAGS.rawValue, 8, isNested: false)
      unsafe place.storeBytes(of: header, as: UInt32.self)
      let flag = UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue).bigEndian
      unsafe (place + 4).storeBytes(of: flag, as: UInt32.self)
      unsafe place += 8
    }
    let nest = MessageBuffer.header(NFTA_SET_ELEM_KEY.rawValue, keyBytes + 8, isNested: true)
    unsafe place.storeBytes(of: nest, as: UInt32.self)
    let value = MessageBuffer.header(
      UInt32(NFTA_DATA_VALUE.rawValue), keyBytes + 4, isNested: false)
    unsafe (place + 4).storeBytes(of: value, as: UInt32.self)
    unsafe (place + 8).storeBytes(of: key.bigEndian, as: Key.self)
    count += total
  }

  /// Appends the start of a range that reaches the largest key, marked as nft marks it.
  mutating func appendOpen<Key: FixedWidthInteger & BitwiseCopyable>(element key: Key) {
    let start = count
    append(element: key, isEnd: false)
    append(attribute: UInt16(NFTA_SET_ELEM_USERDATA.rawValue), payloadBytes: 6)
    append(padded: [1, 4, 1, 0, 0, 0] as [UInt8])
    patch(at: start, UInt16(count - start))
  }

  /// An attribute header as one little-endian word; `length` includes the header.
  @inline(__always)
  private static func header(_ type: UInt32, _ length: Int, isNested: Bool) -> UInt32 {
    (UInt32(length) | type << 16 | (isNested ? UInt32(NLA_F_NESTED) << 16 : 0)).littleEndian
  }

  /// Overwrites two bytes written before, for a length that was not known yet.
  mutating func patch(at offset: Int, _ value: UInt16) {
    precondition(offset >= 0 && offset + 2 <= count)
    unsafe (base + offset).storeBytes(of: value, as: UInt16.self)
  }

  /// Overwrites four bytes written before.
  mutating func patch(at offset: Int, _ value: UInt32) {
    precondition(offset >= 0 && offset + 4 <= count)
    unsafe (base + offset).storeBytes(of: value, as: UInt32.self)
  }

  /// Copies what was written from an offset on; one message fits in it.
  func copy(from offset: Int) -> [UInt8] {
    let length = min(count - offset, 1 << 17)
    return unsafe Array(UnsafeRawBufferPointer(start: base + offset, count: length))
  }

  /// Shows the bytes written so far.
  func withBytes<Result, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let bytes = unsafe UnsafeRawBufferPointer(start: base, count: count)
    return try body(unsafe bytes.bytes)
  }

  private mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(raw value: Number) {
    reserve(MemoryLayout<Number>.size)
    unsafe (base + count).storeBytes(of: value, as: Number.self)
    count += MemoryLayout<Number>.size
  }
}
