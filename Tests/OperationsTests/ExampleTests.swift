import Foundation
import Operations
import PolicyLanguage
import Testing

/// The policies under `examples/`, as a user would try them first.
@Suite struct ExampleTests {
  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "examples")

  private static let files: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".yaml") }.sorted()

  @Test func `the list of the examples names each of them`() throws {
    let list = try String(
      contentsOf: Self.folder.appending(path: "README.md"), encoding: .utf8)
    #expect(Self.files.count >= 3)
    for file in Self.files { #expect(list.contains("(\(file))"), "\(file)") }
  }

  @Test(arguments: files)
  func `an example reads without a complaint and holds in the model`(file: String) throws {
    let loaded = try loadPolicy(Self.folder.appending(path: file).path)
    #expect(loaded.warnings == [])
    #expect(loaded.policy.tests.count >= 8)
    var request = VerifyRequest(policy: loaded)
    request.rungs = [.reference, .interpreter]
    request.probeCap = 4000
    let report = try verify(request)
    #expect(report.status == .good)
    #expect(report.rungs.allSatisfy { $0.allowed > 0 && $0.denied > 0 })
  }
}
