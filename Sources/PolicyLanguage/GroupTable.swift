import NetworkTypes

/// Resolves `to:` and `groups:` items to destinations.
final class GroupTable {
  private struct Definition {
    let key: SyntaxNode
    let value: SyntaxNode
    let file: String
  }

  /// One item with its canonical text.
  enum Item {
    case block(AddressBlock, String)
    case part(Destination, String)
  }

  let reader: FileReader
  let root: String
  var log: DiagnosticLog { reader.log }
  private var definitions: [String: Definition] = [:]
  private var order: [String] = []
  private var resolved: [String: Destination?] = [:]
  private var underway: [String] = []
  /// What each list file holds, nil inside after an error was logged.
  var lists: [String: AddressSet?] = [:]

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
    for pair in pairs {
      let (key, value) = (pair.key, pair.value)
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
