/// Writes a table as commands of libnftables JSON.
struct NftJSON {
  let table: Table
  let sets: [String: NamedSet]

  init(table: Table) {
    self.table = table
    sets = Dictionary(table.sets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Table, chains, counters, sets and rules, each as one `add`, in an order in which nothing is
  /// named before it is there.
  func commands() throws(BytecodeError) -> [JSONValue] {
    var result: [JSONValue] = []
    func add(_ kind: String, _ members: [(String, JSONValue)]) {
      result.append(.tagged("add", .tagged(kind, .object(members))))
    }
    let members: [(String, JSONValue)] = [
      ("family", .string(table.family.keyword)), ("name", .string(table.name)),
    ]
    guard table.flags == 0 else {
      throw .inexpressibleObject(
        name: table.name, reason: "JSON of nft 1.0.6 would load a dormant table awake")
    }
    add("table", members + comment(table.comment))
    for chain in table.chains {
      add("chain", object(chain.name) + hook(of: chain) + comment(chain.comment))
    }
    for counter in table.counters {
      add(
        "counter",
        object(counter.name) + comment(counter.comment) + [
          ("packets", .number(counter.packets)), ("bytes", .number(counter.bytes)),
        ])
    }
    for named in table.objects {
      add("ct timeout", object(named.name) + (try NftTimeout(named).members))
    }
    for set in table.sets where !set.isInlineInJSON {
      let isMap = set.isVerdictMap || set.dataType != nil
      add(isMap ? "map" : "set", object(set.name) + (try declaration(of: set)))
    }
    for chain in table.chains {
      for (index, rule) in chain.rules.enumerated() {
        let statements = try RuleDecompiler.statements(
          of: rule.expressions, table: table, sets: sets, chain: chain.name, rule: index + 1)
        var parts: [JSONValue] = []
        for statement in statements { parts.append(try json(statement)) }
        add(
          "rule",
          [
            ("family", .string(table.family.keyword)), ("table", .string(table.name)),
            ("chain", .string(chain.name)),
          ] + comment(rule.comment) + [("expr", .array(parts))])
      }
    }
    return result
  }

  /// A comment, if there is one.
  private func comment(_ text: String?) -> [(String, JSONValue)] {
    text.map { [("comment", .string($0))] } ?? []
  }

  private func object(_ name: String) -> [(String, JSONValue)] {
    [
      ("family", .string(table.family.keyword)), ("table", .string(table.name)),
      ("name", .string(name)),
    ]
  }

  private func hook(of chain: Chain) -> [(String, JSONValue)] {
    guard let hook = chain.hook else { return [] }
    let priority: JSONValue =
      hook.priority < 0
      ? .string(String(hook.priority)) : .number(UInt64(hook.priority))
    return [
      ("type", .string(hook.type)), ("hook", .string(hook.hook.keyword)), ("prio", priority),
      ("policy", .string(hook.policy == .drop ? "drop" : "accept")),
    ]
  }
}

extension Ruleset {
  /// The ruleset as libnftables JSON, for `nft -j -f`.
  ///
  /// Loads to the same rules as ``nftText()``, but for what JSON of nft 1.0.6 cannot say: it has no
  /// `typeof`, so that sets whose keys are raw bytes are written inline wherever they are used, and
  /// it ignores comments of tables, chains and sets on loading.
  ///
  /// - Throws: ``BytecodeError`` for anything else that has no faithful form, such as a set of raw
  ///   keys that is empty or runtime state, or a dormant table.
  ///
  /// Source: libnftables-json(5), schema version 1.
  public func nftJSON() throws(BytecodeError) -> String {
    var commands: [JSONValue] = [
      .tagged("metainfo", .tagged("json_schema_version", .number(1)))
    ]
    for table in tables {
      try NftText(table: table).requireExpressible()
      guard table.family != .netdev else {
        throw .inexpressibleObject(name: table.name, reason: "family netdev has no JSON here")
      }
      commands += try NftJSON(table: table).commands()
    }
    var out = TextBuffer()
    JSONValue.tagged("nftables", .array(commands)).write(to: &out)
    out.put("\n")
    return out.string
  }
}
