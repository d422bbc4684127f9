import NetworkTypes

/// Items `{file: many.txt}`.
extension GroupTable {
  func listItem(_ node: SyntaxNode, in file: String) -> Item? {
    guard let text = log.text(node, "a file name"),
      let path = log.resolved(text, at: node, from: file, under: root)
    else { return nil }
    if let known = lists[path] { return known.map { .part(.init(addresses: $0), item(path)) } }
    let addresses = read(path, node)
    lists[path] = .some(addresses)
    return addresses.map { .part(.init(addresses: $0), item(path)) }
  }

  private func item(_ path: String) -> String { "{file: \(path.dropFirst(root.count))}" }

  private func read(_ path: String, _ node: SyntaxNode) -> AddressSet? {
    guard let bytes = reader.bytes(of: path, maximum: reader.limits.listBytes, reference: node)
    else { return nil }
    let list = AddressList(bytes.span)
    for (index, problem) in list.problems.enumerated() {
      let hidden = index == list.problems.count - 1 ? list.problemCount - list.problems.count : 0
      log.report(
        Diagnostic(
          severity: .error, code: .listItem, message: problem.reason.description,
          location: SourceLocation(file: path, line: problem.line, column: problem.column),
          length: problem.length,
          notes: (problem.reason.advice.map { [.init($0)] } ?? [])
            + (hidden > 0 ? [.init("\(hidden) more lines of the file are wrong")] : []),
          sourceLine: problem.sourceLine))
    }
    guard list.problemCount == 0 else { return nil }
    guard !list.v4.isEmpty || !list.v6.isEmpty else {
      log.error(
        .emptyValue, "`\(path)` lists no address", at: node,
        .init("an empty list would open or close nothing; add addresses or remove the item"))
      return nil
    }
    if let hit = list.v6.first(where: { embeddedForm(.v6($0)) != nil }),
      let problem = embeddedForm(.v6(hit))
    {
      log.error(
        .addressInsideAddress, "`\(path)` lists \(AddressBlock.v6(hit)), which \(problem.message)",
        at: node, .init(problem.advice))
      return nil
    }
    return list.addresses
  }
}
