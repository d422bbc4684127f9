import Bytecode
import NetworkTypes
import SeededRandom
import Testing

@testable import NetfilterLink

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct AddressContentTests {
  /// Writes one set and reads its contents back; also what nft prints of it.
  private func roundTrip(_ set: NamedSet) throws -> (content: SetContent, listing: String) {
    try Kernel.inNamespace {
      let table = Table(family: .inet, name: "t", sets: [set])
      var session = try Kernel.session()
      try session.commit([.addTable(table)] + Change.filling(table), to: .inet, "t")
      let live = try #require(try session.readTable(family: .inet, name: "t"))
      return (
        try #require(live.sets.first).content, try Kernel.nft("list", "set", "inet", "t", "s")
      )
    }
  }

  private func listing(text: String) throws -> String {
    try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: "table inet t { \(text); }")
      return try Kernel.nft("list", "set", "inet", "t", "s")
    }
  }

  @Test(
    arguments: [
      ([], ""), ([(0, 0)], "0.0.0.0"), ([(0, .max)], "0.0.0.0/0"),
      ([(0xffff_ffff, 0xffff_ffff)], "255.255.255.255"),
      ([(0, 5), (7, 7), (0xe000_0000, .max)], "0.0.0.0-0.0.0.5,0.0.0.7,224.0.0.0/3"),
      (
        [(0x0a00_0000, 0x0aff_ffff), (0xc0a8_0005, 0xc0a8_004d)],
        "10.0.0.0/8,192.168.0.5-192.168.0.77"
      ),
    ] as [([(UInt32, UInt32)], String)])
  func `kernel: IPv4 ranges come back as they went and list as nft's own`(
    ranges: [(UInt32, UInt32)], text: String
  ) throws {
    let content = SetContent.ipv4(IntervalSet(ranges.map { Interval($0.0, $0.1) }))
    let result = try roundTrip(
      NamedSet(name: "s", flags: .interval, key: [.ipv4Address], content: content))
    #expect(result.content == content)
    let elements = text.isEmpty ? "" : "; elements = { \(text) }"
    expectSameText(
      result.listing, try listing(text: "set s { type ipv4_addr; flags interval\(elements); }"))
  }

  @Test(
    arguments: [
      ([], ""), ([(0, .max)], "::/0"), ([(.max, .max)], "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
      ([(1, 1), (0xff << 120, .max)], "::1,ff00::/8"),
      ([(0, (1 << 96) - 1)], "::/32"),
    ] as [([(UInt128, UInt128)], String)])
  func `kernel: IPv6 ranges come back as they went and list as nft's own`(
    ranges: [(UInt128, UInt128)], text: String
  ) throws {
    let content = SetContent.ipv6(IntervalSet(ranges.map { Interval($0.0, $0.1) }))
    let result = try roundTrip(
      NamedSet(name: "s", flags: .interval, key: [.ipv6Address], content: content))
    #expect(result.content == content)
    let elements = text.isEmpty ? "" : "; elements = { \(text) }"
    expectSameText(
      result.listing, try listing(text: "set s { type ipv6_addr; flags interval\(elements); }"))
  }

  @Test func `kernel: a sized hash set holds a range address by address`() throws {
    let content = SetContent.ipv4(IntervalSet([Interval(5, 9), Interval(.max, .max)]))
    let result = try roundTrip(NamedSet(name: "s", key: [.ipv4Address], size: 6, content: content))
    #expect(result.content == content)
  }

  @Test func `kernel: a hash set smaller than its contents names the set that is full`() throws {
    let content = SetContent.ipv4(IntervalSet([Interval(5, 9)]))
    let set = NamedSet(name: "s", key: [.ipv4Address], size: 4, content: content)
    let error = #expect(throws: KernelError.self) { try roundTrip(set) }
    #expect(error?.subject == "elements of set s")
    #expect(error?.part == "element 0.0.0.9")
    #expect(error?.advice == "the set is full; its size is too small")
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `property: any interval set comes back equal, both families`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let v4 = (0..<generator.next(upperBound: 300)).map { _ in
      let first = UInt32(truncatingIfNeeded: generator.next())
      let (last, isOver) = first.addingReportingOverflow(UInt32(generator.next(upperBound: 5000)))
      return Interval(first, isOver ? .max : last)
    }
    let v6 = (0..<generator.next(upperBound: 300)).map { _ in
      let first = UInt128(generator.next()) << 64 | UInt128(generator.next())
      let (last, isOver) = first.addingReportingOverflow(UInt128(generator.next()) << 60)
      return Interval(first, isOver ? .max : last)
    }
    let content4 = SetContent.ipv4(IntervalSet(v4))
    let content6 = SetContent.ipv6(IntervalSet(v6))
    let set4 = NamedSet(name: "s", flags: .interval, key: [.ipv4Address], content: content4)
    let set6 = NamedSet(name: "s", flags: .interval, key: [.ipv6Address], content: content6)
    #expect(try roundTrip(set4).content == content4)
    #expect(try roundTrip(set6).content == content6)
  }
}
