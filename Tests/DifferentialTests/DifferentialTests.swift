import Foundation
import TestSupport
import Testing

/// The interpreter against the real kernel; `scripts/differential` is the long run.
@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct DifferentialTests {
  private static func setting(_ name: String) -> UInt64? {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
  }

  @Test func `kernel: the interpreter says of random rules and packets what the kernel does`()
    throws
  {
    var differential = Differential()
    try differential.run(
      count: Int(Self.setting("WEIR_DIFFERENTIAL_RULESETS") ?? 300),
      seed: Self.setting("WEIR_DIFFERENTIAL_SEED") ?? 1,
      packets: Int(Self.setting("WEIR_DIFFERENTIAL_PACKETS") ?? 60),
      analyzed: Int(Self.setting("WEIR_DIFFERENTIAL_ANALYZED") ?? 6)
    ) { line in
      FileHandle.standardError.write(Data((line + "\n").utf8))
    }
    print(differential.summary)
    for difference in differential.differences { print(difference) }
    #expect(differential.differences.isEmpty)
    #expect(differential.compared > 0 && differential.left > 0)
  }
}
