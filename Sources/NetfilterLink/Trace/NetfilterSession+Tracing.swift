public import Bytecode
import Glibc

extension NetfilterSession where Transport: ~Copyable {
  /// The table whose only rules mark packets to be traced.
  private func tracingTable(_ hooks: [Hook]) -> Table {
    let word = Register(word: 0)
    // The answers of a rejection are tied to the rejected packet's flow before they come here;
    // other packets have no flow yet. Accepting only goes on to the next base chain, and saves an
    // event for the policy.
    let related = hostOrderBytes(of: ConntrackState.related.rawValue)
    let mark = Rule([
      .ct(ConntrackLoad(.state, into: word)),
      .bitwise(Bitwise(source: word, destination: word, mask: related)),
      .compare(Compare(word, .equal, [0, 0, 0, 0])),
      .immediate(.data([1], into: word)), .metaSet(MetaSet(.nftrace, from: word)),
      .immediate(.verdict(.accept)),
    ])
    // Before connection tracking and every ordinary filter.
    let chains = hooks.map { hook in
      Chain(
        name: "\(hook)", hook: HookBinding(hook: hook, priority: -400, policy: .accept),
        rules: [mark])
    }
    return Table(
      family: .inet, name: "weir-trace", comment: Table.managedComment, chains: chains)
  }

  /// Has the packets of the namespace traced, those it sends and those it receives.
  ///
  /// The reset or ICMP error that a rejection sends is not traced.
  ///
  /// - Parameter hooks: where packets are marked; output for those that the namespace sends.
  /// - Throws: ``KernelError``; EEXIST when it is so already.
  public mutating func startTracing(
    at hooks: [Hook] = [.output, .prerouting]
  ) throws(KernelError) {
    let table = tracingTable(hooks)
    try commit(
      [.addTable(table)] + Change.filling(table), to: table.family, table.name)
  }

  /// Ends what ``startTracing()`` began.
  ///
  /// - Throws: ``KernelError``; ENOENT when nothing was traced.
  public mutating func stopTracing() throws(KernelError) {
    let table = tracingTable([])
    try commit([.deleteTable], to: table.family, table.name)
  }
}

/// Four bytes as this machine stores them.
private func hostOrderBytes(of value: UInt32) -> [UInt8] {
  let little = (0..<4).map { UInt8(value >> (8 * UInt32($0)) & 0xff) }
  return UInt32(littleEndian: 1) == 1 ? little : little.reversed()
}
