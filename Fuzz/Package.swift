// swift-tools-version: 6.2
import PackageDescription

/// A fuzz target: `Sources/<name>`, one parser each. Built and run by `scripts/fuzz`.
func fuzz(_ name: String) -> Target {
  .executableTarget(
    name: name,
    dependencies: ["CFuzzer", .product(name: "WeirReaders", package: "weir")],
    swiftSettings: [.swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error)])
}

let package = Package(
  name: "Fuzz",
  dependencies: [.package(name: "weir", path: "..")],
  targets: [
    .target(name: "CFuzzer"), fuzz("FuzzHost"), fuzz("FuzzListing"),
    fuzz("FuzzNetlink"), fuzz("FuzzSnapshot"),
  ]
)
