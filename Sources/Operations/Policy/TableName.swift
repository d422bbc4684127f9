import Bytecode

/// Checks the name of an nftables table: what nft(8) can read back.
///
/// - Parameter text: as the user gave it.
/// - Returns: the same text.
/// - Throws: ``OperationFailure`` (64): a letter first, then letters, digits, `_`, `-`, `.`; at most
///   64; not a word of nft's own grammar.
public func tableName(_ text: String) throws(OperationFailure) -> String {
  let scalars = Array(text.unicodeScalars)
  let isLetter = { (scalar: Unicode.Scalar) in
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
  }
  let isWord = scalars.allSatisfy {
    isLetter($0) || ("0"..."9").contains($0) || "_-.".unicodeScalars.contains($0)
  }
  guard let first = scalars.first, isLetter(first), isWord, scalars.count <= 64 else {
    throw OperationFailure(
      .usage, "'\(text)' is no table name: use a letter, then letters, digits, '_', '-' or '.'")
  }
  guard !ReservedWordTable.words.contains(text) else {
    throw OperationFailure(.usage, "'\(text)' is a word of nft's own grammar; use another name")
  }
  return text
}
