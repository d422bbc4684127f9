import Bytecode
import NetworkTypes
import PolicyLanguage
import RuleCompiler

/// The forms in which a policy's rules can be printed.
public enum PrintFormat: String, CaseIterable, Sendable {
  /// nft(8) text; loads with `nft -f`.
  case nft
  /// libnftables JSON; loads with `nft -j -f`.
  case json
  /// The notation of `nft --debug=netlink`, with the policy's lines.
  case bytecode
  /// The policy's decisions in order, for people.
  case table
}

/// Prints the rules of a policy; needs no right and no network.
///
/// - Parameters:
///   - loaded: the policy.
///   - format: the form.
///   - tableName: the name of the nftables table.
///   - pins: addresses of names that the caller knows; other names get empty sets.
/// - Returns: the text, equal for equal arguments.
/// - Throws: ``OperationFailure`` when the form cannot say something that the rules do.
public func printRules(
  of loaded: LoadedPolicy, as format: PrintFormat, tableName: String = "weir",
  pins: NamePins = NamePins()
) throws(OperationFailure) -> String {
  let policy = loaded.policy
  if format == .table { return PolicyTable(policy).text }
  let table = compile(policy, tableName: tableName).table(answers: pins.addresses)
  let ruleset = Ruleset(tables: [table])
  do {
    switch format {
    case .nft: return try ruleset.nftText()
    case .json: return try ruleset.nftJSON()
    case .bytecode: return ruleset.bytecodeListing(withProvenance: true)
    case .table: return ""
    }
  } catch {
    throw OperationFailure(.internalError, "\(error)")
  }
}
