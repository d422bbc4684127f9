import NetworkTypes

/// Resolves `to:` and `groups:` items to destinations.
final class GroupTable {
  private struct Definition {
    let key: SyntaxNode
    let value: SyntaxNode
    let file: String
  }

  private let reader: FileReader
  private let root: String
  private var log: DiagnosticLog { reader.log }
  private var definitions: [String: Definition] = [:]
  private var order: [String] = []
  private var resolved: [String: Destination?] = [:]
  private var underway: [String] = []
  private var lists: [String: AddressSet?] = [:]

  init(reader: FileReader, root: String) {
    self.reader = reader
    self.root = root
  }

  /// Takes the `groups:` of a file; ``destination(named:at:)`` resolves them later.
  func define(_ field: Field, in file: String) {
    guard case .mapping(let pairs) = field.value.content else {
      log.error(
        .wrongType, "expected groups as a mapping, found \(field.value.kindText)",
        at: field.value, .init("write `groups: {partners: [192.0.2.0/24]}`"))
      return
    }
    for (key, value) in pairs {
      guard let name = log.name(key, "group") else { continue }
      if let first = definitions[name] {
        log.error(
          .duplicateGroup, "group `\(name)` is defined twice", at: key,
          .init("the first one is here", at: first.key.location))
      } else if BuiltIn.groups[name] != nil {
        log.error(
          .duplicateGroup, "group `\(name)` is built in", at: key, .init("choose another name"))
      } else {
        definitions[name] = Definition(key: key, value: value, file: file)
        order.append(name)
      }
    }
  }

  /// Resolves every group, used or not, and lists them in order.
  func allDefinitions() -> [GroupDefinition] {
    order.compactMap { name in
      guard let definition = definitions[name],
        let destination = destination(named: name, at: definition.key)
      else { return nil }
      return GroupDefinition(
        name: name, items: destination.items, location: definition.key.location)
    }
  }

  /// The addresses of a group; nil after an error was logged.
  func destination(named name: String, at node: SyntaxNode) -> Destination? {
    if let builtIn = BuiltIn.groups[name] { return builtIn }
    guard let definition = definitions[name] else {
      let known = BuiltIn.groups.keys.sorted() + order
      log.error(
        .unknownGroup, "unknown group `\(name)`", at: node,
        name == "nat64"
          ? .init("NAT64 addresses are judged by the IPv4 address inside; write IPv4 prefixes")
          : didYouMean(name, among: known) ?? log.yamlTrap(name)
            ?? .init("define it under `groups:`, or write an address, a prefix or a range"))
      return nil
    }
    if let known = resolved[name] { return known }
    guard !underway.contains(name) else {
      let circle = (underway + [name]).map { "`\($0)`" }.joined(separator: " → ")
      log.error(
        .circularGroup, "group `\(name)` contains itself", at: node,
        .init("the circle is \(circle)"))
      return nil
    }
    underway.append(name)
    defer { underway.removeLast() }
    let result = destination(definition.value, in: definition.file)
    resolved[name] = .some(result)
    return result
  }

  /// The destination of a `to:` value or a group's value: one item or a list of them.
  func destination(_ node: SyntaxNode, in file: String) -> Destination? {
    guard let items = log.items(node, "address", orOne: true) else { return nil }
    var parts: [Destination] = []
    var blocks: [AddressBlock] = []
    var texts: [String] = []
    var isGood = true
    for item in items {
      switch resolve(item, in: file) {
      case .block(let block, let text):
        blocks.append(block)
        texts.append(text)
      case .part(let part, let text):
        parts.append(part)
        texts.append(text)
      case nil: isGood = false
      }
    }
    guard isGood else { return nil }
    var result = Destination(addresses: AddressSet(blocks), items: texts)
    for part in parts { result.formUnion(part) }
    return result
  }

  private enum Item {
    case block(AddressBlock, String)
    case part(Destination, String)
  }

  private func resolve(_ node: SyntaxNode, in file: String) -> Item? {
    if case .mapping(let pairs) = node.content {
      if let key = pairs.first?.key, let text = key.scalar, text.contains(":") {
        log.error(
          .invalidAddress, "YAML reads `\(text)` as a key, not as an address", at: key,
          .init("quote the address"))
        return nil
      }
      return mappingItem(node, in: file)
    }
    guard let text = log.text(node, "an address, a prefix, a range or a group") else { return nil }
    if log.isName(text), !text.hasPrefix("0x") {
      return destination(named: text, at: node).map { .part($0, text) }
    }
    return block(text, node).map { .block($0, PolicyText.item($0)) }
  }

  private func mappingItem(_ node: SyntaxNode, in file: String) -> Item? {
    guard let fields = log.fields(of: node, AddressItemKey.self, of: "an address item") else {
      return nil
    }
    switch (fields[.file], fields[.name]) {
    case (let field?, nil):
      if let within = fields[.within] {
        log.error(.misplacedKey, "`within` belongs to a `name`, not to a `file`", at: within.key)
      }
      return listItem(field.value, in: file)
    case (nil, let field?):
      return nameItem(field.value, fields[.within], in: file)
    default:
      if fields.mentioned[.file] == nil || fields[.name] != nil {
        log.error(
          .missingKey, "an address item has either `file` or `name`", at: node,
          .init("write `{file: many.txt}` or `{name: mail.example.org, within: partners}`"))
      }
      return nil
    }
  }

  /// Reads an address, prefix or range; what it may not mean is refused here.
  private func block(_ text: String, _ node: SyntaxNode) -> AddressBlock? {
    do throws(LiteralError) {
      let block = try AddressBlock(strict: text)
      guard let problem = embeddedForm(block) else { return block }
      log.error(
        .addressInsideAddress, "`\(text)` \(problem.message)", at: node, .init(problem.advice))
      return nil
    } catch {
      if case .notAnAddress = error {
        if let trap = log.yamlTrap(text) {
          log.error(.ambiguousScalar, "`\(text)` is no address", at: node, trap)
          return nil
        }
        if let name = HostName(text), name.text.contains(".") {
          let advice =
            name.text.hasSuffix(".txt")
            ? "write `{file: \(text)}` for a list of addresses"
            : "write `{name: \(name.text)}` for a host name"
          log.error(.invalidAddress, error.description, at: node, .init(advice))
          return nil
        }
      }
      log.error(
        .invalidAddress, error.description, at: node, error.advice.map { Diagnostic.Note($0) })
      return nil
    }
  }

  /// Why a block of IPv6 addresses that hold IPv4 addresses may not stand in a policy.
  private func embeddedForm(_ block: AddressBlock) -> (message: String, advice: String)? {
    guard let part = EmbeddedSpace.allCases.first(where: { $0.covers(block) }) else { return nil }
    switch part {
    case .nat64:
      let meant = part.embedded(block)
      return (
        "lies in 64:ff9b::/96, which is judged by the IPv4 address inside",
        "write \(meant); it holds for the NAT64 form as well"
      )
    case .mapped:
      guard block != EmbeddedSpace.mapped.block else { return nil }
      return (
        "is an IPv4-mapped address, which never stands on the wire",
        "write \(part.embedded(block))"
      )
    }
  }

  // MARK: Lists and names

  private func listItem(_ node: SyntaxNode, in file: String) -> Item? {
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

  private func nameItem(_ node: SyntaxNode, _ within: Field?, in file: String) -> Item? {
    guard let text = log.text(node, "a host name") else { return nil }
    guard let name = HostName(text), name.text == text else {
      log.error(
        .invalidHostName, "`\(text)` is no host name", at: node,
        HostName(text).map { .init("write `\($0.text)`") }
          ?? .init("a host name is lower-case labels with dots between: `mail.example.org`"))
      return nil
    }
    var addresses = BuiltIn.groups["global"]?.addresses ?? .init()
    var withinText = "global"
    if let within {
      guard let destination = destination(within.value, in: file) else { return nil }
      guard destination.names.isEmpty else {
        log.error(
          .invalidValue, "`within` needs addresses, not names", at: within.value,
          .init("name the prefixes in which the answers may lie"))
        return nil
      }
      addresses = destination.addresses
      withinText =
        destination.items.count == 1
        ? destination.items[0] : "[" + destination.items.joined(separator: ", ") + "]"
    }
    let reference = NameReference(
      name: name.text, within: addresses, withinText: withinText, location: node.location)
    return .part(
      Destination(names: [reference]), "{name: \(name.text), within: \(withinText)}")
  }
}

extension Destination {
  /// Adds everything of `other` but its items.
  mutating func formUnion(_ other: Destination) {
    addresses = addresses.union(other.addresses)
    for name in other.names where !names.contains(name) { names.append(name) }
    includesLinkBroadcast = includesLinkBroadcast || other.includesLinkBroadcast
    isatapEmbedded = isatapEmbedded.union(other.isatapEmbedded)
  }
}
