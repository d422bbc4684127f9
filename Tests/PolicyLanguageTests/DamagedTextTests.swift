import NetworkTypes
import PolicyLanguage
import SeededRandom
import Testing

@Suite struct DamagedTextTests {
  /// Bytes that mean something to YAML, and some that mean nothing to anybody.
  private static let bytes = Array("\n \t-:,[]{}&*!|>'\"%@`#?~0aA/.".utf8) + [0, 0x0d, 0xc3, 0xff]

  private struct OneFile: PolicySource {
    let bytes: [UInt8]

    func contents(of path: String, maximumBytes: Int) throws(PolicySourceError) -> [UInt8] {
      guard path == "policy.yaml" else { throw .missing }
      return bytes
    }
  }

  @Test(arguments: 0..<400 as Range<UInt64>)
  func `property: damaged text is refused with a place, or read; never a trap`(seed: UInt64) throws
  {
    var generator = SeededGenerator(seed: seed)
    let cases = ["everything", "shadowed-entries", "overlapping-exceptions", "extends-built-in"]
    let name = try #require(cases.randomElement(using: &generator))
    var text = Array(try Repository.text("Tests/Corpus/accepted/\(name)/policy.yaml").utf8)
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      let place = Int.random(in: 0..<text.count, using: &generator)
      let byte = try #require(Self.bytes.randomElement(using: &generator))
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: text[place] = byte
      case 1: text.insert(byte, at: place)
      case 2: text.remove(at: place)
      default:
        let end = min(text.count, place + Int.random(in: 1...60, using: &generator))
        text.insert(contentsOf: text[place..<end], at: place)
      }
    }
    let (policy, diagnostics) = PolicyParser.parse(
      path: "policy.yaml", source: OneFile(bytes: text))
    let errors = diagnostics.filter { $0.severity == .error }
    #expect((policy == nil) == !errors.isEmpty)
    for diagnostic in diagnostics where diagnostic.location.line > 0 {
      #expect(diagnostic.location.column > 0)
      #expect(diagnostic.sourceLine != nil)
      #expect(!diagnostic.message.isEmpty)
    }
    #expect(
      !diagnostics.render().contains { $0 != "\n" && $0.isASCII && ($0.asciiValue ?? 32) < 32 })
  }
}
