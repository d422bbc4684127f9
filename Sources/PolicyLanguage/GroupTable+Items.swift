import NetworkTypes

/// Items of `to:`, `within:` and groups.
extension GroupTable {
  func resolve(_ node: SyntaxNode, in file: String) -> Item? {
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
  func embeddedForm(_ block: AddressBlock) -> (message: String, advice: String)? {
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
