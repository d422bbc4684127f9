import Bytecode
import Glibc

extension NetfilterSession where Transport: ~Copyable {
  /// The table whose only rules mark packets to be traced.
  private var tracingTable: Table {
    let word = Register(word: 0)
    // Accepting here only goes on to the next base chain, and saves an event for the policy.
    let mark = Rule([
      .immediate(.data([1], into: word)), .metaSet(MetaSet(.nftrace, from: word)),
      .immediate(.verdict(.accept)),
    ])
    // Before connection tracking and every ordinary filter.
    let chains = [Hook.output, .prerouting].map { hook in
      Chain(
        name: "\(hook)", hook: HookBinding(hook: hook, priority: -400, policy: .accept),
        rules: [mark])
    }
    return Table(
      family: .inet, name: "weir-trace", comment: Table.managedComment, chains: chains)
  }

  /// Has every packet of the namespace traced, those it sends and those it receives.
  ///
  /// - Throws: ``KernelError``; EEXIST when it is so already.
  public mutating func startTracing() throws(KernelError) {
    let table = tracingTable
    try commit(
      [.addTable(table)] + Change.filling(table), to: table.family, table.name)
  }

  /// Ends what ``startTracing()`` began.
  ///
  /// - Throws: ``KernelError``; ENOENT when nothing was traced.
  public mutating func stopTracing() throws(KernelError) {
    let table = tracingTable
    try commit([.deleteTable], to: table.family, table.name)
  }
}
