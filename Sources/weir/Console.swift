import ArgumentParser
import Foundation
import Operations

/// Where verbs write, and how they end.
enum Console {
  /// Writes to standard output, all at once.
  static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

  /// Writes to standard error.
  static func complain(_ text: String) {
    let line = text.hasSuffix("\n") ? text : text + "\n"
    FileHandle.standardError.write(Data(line.utf8))
  }

  /// Runs a verb's body and ends the process with the status that it returns or throws.
  static func finish(_ body: () throws -> ExitStatus) -> Never {
    do {
      exit(try body().rawValue)
    } catch let failure as OperationFailure {
      complain(failure.message.hasPrefix("weir:") ? failure.message : "weir: \(failure.message)")
      exit(failure.status.rawValue)
    } catch {
      complain("weir: \(error)")
      exit(ExitStatus.internalError.rawValue)
    }
  }

  /// A report as JSON: keys sorted, indented, one newline at the end.
  static func json(_ report: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
  }
}

/// Text for people, or JSON for programs.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
  case text
  case json
}

/// The policy that a verb works on.
struct PolicyArgument: ParsableArguments {
  @Argument(
    help: "A policy file, or the name of a built-in policy (weir policy list).",
    completion: .file(extensions: ["yaml", "yml"]))
  var policy: String

  @Option(
    help: ArgumentHelp(
      "Let this through before anything else: loopback, dhcp, ntp, resolver=ADDRESSES or ssh=ADDRESSES; may be repeated.",
      valueName: "what"))
  var essential: [String] = []

  /// Reads the policy.
  func read() throws -> LoadedPolicy { try loadPolicy(policy).adding(essentials: essential) }

  /// Reads the policy and shows its warnings.
  func load() throws -> LoadedPolicy {
    let loaded = try read()
    for warning in loaded.warnings { Console.complain(warning) }
    return loaded
  }
}
