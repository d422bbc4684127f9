import Bytecode
import CNetfilter

extension NamedSet {
  /// nft's number for verdict data.
  static let verdictDataType: UInt32 = 0xffff_ff00

  /// The name that makes the kernel number an anonymous set: `__set%d` or `__map%d`.
  static func template(forAnonymous name: String) -> String {
    name.hasPrefix("__map") ? "__map%d" : "__set%d"
  }

  /// The key type number: one data type, or `(a << 6 | b) << 6 | c`.
  var keyTypeNumber: UInt32 { key.reduce(0) { $0 << 6 | $1.rawValue } }

  /// Bytes of a key, with the length a raw load gives an `integer`.
  var wireKeyLength: Int {
    if key.count == 1, key[0].isInteger, let typeof { return Int(typeof.lengthBytes) }
    return keyLengthBytes
  }

  /// Whether the kernel keeps ranges of one field: start and end elements.
  var isSingleFieldInterval: Bool { flags.contains(.interval) && key.count == 1 }

  /// Whether the kernel keeps ranges of several fields: elements with an upper key.
  var isConcatenatedInterval: Bool { flags.contains(.interval) && key.count > 1 }

  /// Makes the libnftnl object of the set without its elements.
  func handle(table: String, identifier: UInt32) throws(KernelError) -> SetHandle {
    let isAnonymous = flags.contains(.anonymous)
    let handle = try SetHandle.make(
      table: table, name: isAnonymous ? NamedSet.template(forAnonymous: name) : name)
    var bits = flags
    if isConcatenatedInterval { bits.insert(.concatenation) }
    handle.set(NFTNL_SET_FLAGS, bits.rawValue)
    handle.set(NFTNL_SET_KEY_TYPE, keyTypeNumber)
    handle.set(NFTNL_SET_KEY_LEN, UInt32(wireKeyLength))
    if isVerdictMap {
      handle.set(NFTNL_SET_DATA_TYPE, NamedSet.verdictDataType)
      handle.set(NFTNL_SET_DATA_LEN, 0)
    } else if let dataType {
      handle.set(NFTNL_SET_DATA_TYPE, dataType.rawValue)
      handle.set(NFTNL_SET_DATA_LEN, UInt32(dataType.lengthBytes))
    }
    if let timeoutMilliseconds { handle.set(NFTNL_SET_TIMEOUT, wide: timeoutMilliseconds) }
    if let gcIntervalMilliseconds { handle.set(NFTNL_SET_GC_INTERVAL, gcIntervalMilliseconds) }
    if let policy { handle.set(NFTNL_SET_POLICY, policy) }
    if let objectType { handle.set(NFTNL_SET_OBJ_TYPE, objectType) }
    for expression in expressions {
      handle.append(try expression.handle(EncodingContext()))
    }
    handle.set(NFTNL_SET_ID, identifier)
    if isAnonymous {
      try handle.set(NFTNL_SET_DESC_SIZE, UInt32(ElementEncoder(self).wireElementCount))
    } else if let size {
      handle.set(NFTNL_SET_DESC_SIZE, size)
    }
    if isConcatenatedInterval {
      try handle.set(NFTNL_SET_DESC_CONCAT, key.map { UInt8($0.lengthBytes) })
    }
    try handle.set(NFTNL_SET_USERDATA, UserData.encode(self))
    return handle
  }
}
