import Bytecode

/// What one message of a batch is about, so that a refusal can name it.
enum Subject {
  case batch
  case table(String)
  case chain(String)
  case counter(String)
  case object(String)
  case set(String, Provenance?)
  case elements(of: String, Provenance?)
  case rule(position: Int, chain: String, Rule)
  /// Something of a snapshot, by its words.
  case recorded(String)

  /// The words for an error: `rule 3 of chain g1/deny/private (private, rules/x.yaml:31:5)`.
  var description: String {
    switch self {
    case .batch: "the batch"
    case .table(let name): "table \(name)"
    case .chain(let name): "chain \(name)"
    case .recorded(let text): text
    case .counter(let name): "counter \(name)"
    case .object(let name): "object \(name)"
    case .set(let name, let provenance): "set \(name)\(Subject.text(provenance))"
    case .elements(let name, let provenance):
      "elements of set \(name)\(Subject.text(provenance))"
    case .rule(let position, let chain, let rule):
      "rule \(position) of chain \(chain)\(Subject.text(rule.provenance))"
    }
  }

  private static func text(_ provenance: Provenance?) -> String {
    guard let provenance else { return "" }
    guard let location = provenance.location else { return " (\(provenance.clause))" }
    return " (\(provenance.clause), \(location))"
  }
}
