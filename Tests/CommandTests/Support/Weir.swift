import Foundation
import LinuxSystem
import TestSupport

/// The program that was built together with these tests.
enum Weir {
  /// Beside the test bundle, in the products directory.
  static let path: String = {
    let bundle = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    return bundle.deletingLastPathComponent().appending(path: "weir").path
  }()

  /// Verbs that speak to a kernel, and so never run in the machine's own namespace.
  private static let kernelVerbs: Set = [
    "apply", "confirm", "refresh", "reap", "guard", "meter", "status", "remove", "verify",
    "snapshot", "scope", "quota", "seal",
  ]

  /// Runs a verb in the calling thread's network namespace, until it ends.
  ///
  /// Without rights it is still the same user, but the kernel lets it do nothing special.
  static func run(
    _ arguments: String..., in folder: String? = nil, withoutRights: Bool = false
  ) throws -> ProgramOutcome {
    try run(arguments, in: folder, withoutRights: withoutRights)
  }

  /// As the other one, with a list.
  static func run(
    _ arguments: [String], in folder: String? = nil, withoutRights: Bool = false
  ) throws -> ProgramOutcome {
    if let verb = arguments.first, kernelVerbs.contains(verb) {
      try NetworkNamespace.assertThrowAway()
    }
    let wrapper = withoutRights ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] : []
    return try Program.run(wrapper + [path] + arguments, in: folder)
  }
}

/// The corpus of policies that the repository keeps.
enum Corpus {
  private static let tests = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The folder of a case, and what the parser says about its `policy.yaml`.
  static func policy(_ area: String, _ name: String) throws -> (folder: String, complaint: String) {
    let folder = tests.appending(path: "Corpus/\(area)/\(name)")
    let bytes = try Data(contentsOf: folder.appending(path: "diagnostics.txt"))
    return (folder.path, String(decoding: bytes, as: UTF8.self))
  }
}
