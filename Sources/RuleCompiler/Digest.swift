import Bytecode
import Hashing

extension Table {
  /// SHA-256 of the table's text; content-named sets stand for themselves by their names.
  var digest: String {
    var named = self
    for index in named.sets.indices where named.sets[index].name.hasPrefix("addresses/") {
      named.sets[index].content = .elements([])
    }
    var hash = SHA256()
    do {
      hash.update(contentsOf: Array(try Ruleset(tables: [named]).nftText().utf8).span)
    } catch {
      preconditionFailure("the compiler wrote what nft cannot say: \(error)")
    }
    return hash.hexDigest()
  }
}
