extension Table {
  /// One rule as `nft list ruleset` writes it, for reports.
  ///
  /// - Parameters:
  ///   - index: the rule's place in its chain, from 0.
  ///   - chain: the chain's name.
  /// - Returns: one line; nil when there is no such rule.
  /// - Throws: ``BytecodeError`` for a rule that nft 1.0.6 has no faithful text for.
  ///
  /// Example: `th sport 32768-60999 ip daddr & 255.0.0.0 vmap @g1/blocks4`.
  public func nftRule(_ index: Int, of chain: String) throws(BytecodeError) -> String? {
    guard let rules = chains.first(where: { $0.name == chain })?.rules,
      rules.indices.contains(index)
    else { return nil }
    var text = NftText(table: self)
    try text.put(rules[index], chain: chain, number: index + 1)
    let line = text.out.string.drop { $0 == "\t" }
    return String(line.hasSuffix("\n") ? line.dropLast() : line)
  }
}
