import Bytecode

extension Table {
  /// SHA-256 of the table's text; content-named sets stand for themselves by their names.
  var digest: String {
    var hash = SHA256()
    hash.update(String(describing: self).utf8)
    return hash.hexDigest()
  }
}
