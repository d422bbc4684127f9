public import Bytecode

extension NetfilterSession where Transport: ~Copyable {
  /// Makes a table and everything in it, in one transaction.
  ///
  /// For namespaces made for a verification; an installation goes through the generation swap.
  /// - Throws: ``KernelError``; nothing is made then.
  public mutating func makeTable(_ table: Table) throws(KernelError) {
    try commit([.addTable(table)] + Change.filling(table), to: table.family, table.name)
  }
}
