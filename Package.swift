// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A module of the pure core or a door: `Sources/<name>`, strict settings.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A test target: `Tests/<name>`, strict settings.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "weir",
  products: [
    .executable(name: "weir", targets: ["weir"]),
    // What the fuzz package feeds bytes to.
    .library(name: "WeirReaders", targets: ["NetfilterLink", "Operations", "HostAudit"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C doors: no code beyond what Swift cannot say.
    .target(
      name: "CNetfilter", linkerSettings: [.linkedLibrary("nftnl"), .linkedLibrary("mnl")]),
    .target(name: "CLinux"),
    .target(name: "CCurl"),
    .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),

    // The pure core.
    module("NetworkTypes"),
    module("Hashing"),
    module("PolicyLanguage", ["NetworkTypes", .product(name: "Yams", package: "Yams")]),
    module("PacketSets", ["NetworkTypes"]),
    module("PolicyMeaning", ["NetworkTypes", "PolicyLanguage", "PacketSets"]),
    module("Bytecode", ["NetworkTypes"]),
    module("RuleCompiler", ["NetworkTypes", "PolicyLanguage", "Bytecode", "Hashing"]),
    module("BytecodeInterpreter", ["NetworkTypes", "Bytecode"]),
    module("SymbolicAnalysis", ["NetworkTypes", "Bytecode", "PacketSets"]),
    module("ConnectionReplay", ["NetworkTypes"]),
    module("HostFacts", ["NetworkTypes"]),
    module(
      "HostAudit",
      ["HostFacts", "NetworkTypes", "Bytecode", "PolicyLanguage", "PolicyMeaning"]),

    // The doors to the system.
    module("NetfilterLink", ["NetworkTypes", "Bytecode", "Hashing", "CNetfilter"]),
    module("LinuxSystem", ["NetworkTypes", "ConnectionReplay", "HostFacts", "CLinux"]),
    module("NameResolution", ["NetworkTypes", "CAres"]),
    module("FeedTransfer", ["CCurl"]),

    // What the verbs do, and the verbs.
    module(
      "Operations",
      [
        "NetworkTypes", "PolicyLanguage", "PolicyMeaning", "Bytecode", "RuleCompiler",
        "BytecodeInterpreter", "PacketSets", "SymbolicAnalysis", "ConnectionReplay", "HostFacts",
        "HostAudit", "Hashing", "NetfilterLink", "LinuxSystem", "NameResolution", "FeedTransfer",
      ]),
    .executableTarget(
      name: "weir",
      dependencies: [
        "Operations", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // Rulesets that several test targets look at.
    .target(
      name: "RulesetExamples", dependencies: ["Bytecode", "NetworkTypes"],
      path: "Tests/RulesetExamples", swiftSettings: strict),
    // Programs, name servers and namespaces that several test targets start.
    .target(
      name: "TestSupport", dependencies: ["LinuxSystem", "NameResolution", "NetworkTypes"],
      path: "Tests/TestSupport", swiftSettings: strict),
    // Policies that nobody would write, from a seed.
    .target(
      name: "RandomPolicies", dependencies: ["PolicyLanguage", "NetworkTypes", "SeededRandom"],
      path: "Tests/RandomPolicies", swiftSettings: strict),
    .target(name: "SeededRandom", path: "Tests/SeededRandom", swiftSettings: strict),
    tests("HashingTests", ["Hashing"]),
    tests("NetworkTypesTests", ["NetworkTypes", "SeededRandom"]),
    tests(
      "PolicyLanguageTests",
      [
        "PolicyLanguage", "PolicyMeaning", "NetworkTypes", "SeededRandom", "TestSupport",
        .product(name: "Yams", package: "Yams"),
      ]),
    tests(
      "RuleCompilerTests",
      ["RuleCompiler", "PolicyLanguage", "Bytecode", "NetworkTypes", "SeededRandom"]),
    tests("BytecodeTests", ["Bytecode", "NetworkTypes", "RulesetExamples"]),
    tests(
      "BytecodeInterpreterTests",
      ["BytecodeInterpreter", "Bytecode", "NetworkTypes", "RulesetExamples"]),
    tests(
      "PolicyMeaningTests",
      [
        "PolicyMeaning", "PolicyLanguage", "PacketSets", "NetworkTypes", "RandomPolicies",
        "SeededRandom",
      ]),
    tests("PacketSetsTests", ["PacketSets", "NetworkTypes", "SeededRandom"]),
    tests("ConnectionReplayTests", ["ConnectionReplay", "NetworkTypes"]),
    tests(
      "OperationsTests",
      [
        "Operations", "PolicyLanguage", "PolicyMeaning", "Bytecode", "RuleCompiler",
        "ConnectionReplay", "HostFacts", "HostAudit", "NetfilterLink", "LinuxSystem",
        "NetworkTypes", "RandomPolicies", "SeededRandom",
      ]),
    tests(
      "NetfilterLinkTests",
      [
        "NetfilterLink", "Bytecode", "NetworkTypes", "LinuxSystem", "Operations", "RuleCompiler",
        "SeededRandom", "TestSupport",
      ]),
    tests(
      "AgreementTests",
      [
        "SymbolicAnalysis", "PacketSets", "BytecodeInterpreter", "Bytecode", "PolicyLanguage",
        "PolicyMeaning", "RuleCompiler", "NetworkTypes", "RandomPolicies", "SeededRandom",
      ]),
    // A sandbox, the kernel's trace and the interpreter, side by side.
    .target(
      name: "KernelTrials",
      dependencies: [
        "BytecodeInterpreter", "Bytecode", "ConnectionReplay", "LinuxSystem", "NetfilterLink",
        "NetworkTypes", "TestSupport",
      ], path: "Tests/KernelTrials", swiftSettings: strict),
    tests(
      "DifferentialTests",
      [
        "KernelTrials", "BytecodeInterpreter", "Bytecode", "LinuxSystem", "NetfilterLink",
        "NetworkTypes", "PacketSets", "RulesetExamples", "SeededRandom", "SymbolicAnalysis",
        "TestSupport",
      ]),
    tests(
      "ExperimentTests",
      [
        "KernelTrials", "BytecodeInterpreter", "Bytecode", "NetworkTypes", "TestSupport",
      ]),
    tests(
      "LinuxSystemTests",
      [
        "LinuxSystem", "HostFacts", "ConnectionReplay", "NetworkTypes", "SeededRandom",
        "TestSupport", "CLinux",
      ]),
    tests("HostFactsTests", ["HostFacts", "NetworkTypes"]),
    tests(
      "HostAuditTests",
      [
        "HostAudit", "HostFacts", "NetworkTypes", "Bytecode", "PolicyLanguage", "PolicyMeaning",
        "LinuxSystem", "NetfilterLink", "Operations", "TestSupport",
      ]),
    tests(
      "NameResolutionTests", ["NameResolution", "NetworkTypes", "LinuxSystem", "TestSupport"]),
    tests(
      "CommandTests",
      [
        "weir", "Operations", "NetfilterLink", "LinuxSystem", "ConnectionReplay", "NetworkTypes",
        "Bytecode", "HostFacts", "TestSupport",
      ]),
    tests("AuditTests", ["Operations", "NetfilterLink", "LinuxSystem", "TestSupport"]),
    tests("RepositoryTests", []),
  ]
)
