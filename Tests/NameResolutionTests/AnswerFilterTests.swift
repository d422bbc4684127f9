import NetworkTypes
import Testing

@testable import NameResolution

@Suite struct AnswerFilterTests {
  /// 192.0.2.0/24 and 2001:db8::/32.
  private let filter = AnswerFilter(
    within: AddressSet(
      v4: IntervalSet([Interval(0xc000_0200, 0xc000_02ff)]),
      v6: IntervalSet([
        Interval(0x2001_0db8 << 96, 0x2001_0db8 << 96 | (UInt128.max >> 32))
      ])))

  @Test func `addresses inside are accepted, sorted and without duplicates`() {
    let inside: [IPAddress] = [.v6(0x2001_0db8 << 96 | 1), .v4(0xc000_02ff), .v4(0xc000_0200)]
    let result = filter.judge(inside + inside)
    #expect(result.accepted == inside.reversed() as [IPAddress])
    #expect(result.refused == [])
  }

  @Test func `an address outside is refused and named, and the rest stays`() {
    let result = filter.judge([.v4(0x0a00_0001), .v4(0xc000_0219), .v6(1)])
    #expect(result.accepted == [.v4(0xc000_0219)])
    #expect(
      result.refused.map(\.description) == [
        "10.0.0.1 is outside of within", "::1 is outside of within",
      ])
  }

  @Test func `an answer of which nothing is left is a result`() {
    let result = filter.judge([.v4(0xc000_0300)])
    #expect(result.accepted == [])
    #expect(result.refused.map(\.address) == [.v4(0xc000_0300)])
    #expect(filter.judge([]) == FilteredAddresses())
  }

  @Test func `a NAT64 address is judged by the IPv4 address inside`() {
    let wellKnown: UInt128 = 0x0064_ff9b << 96
    let result = filter.judge([.v6(wellKnown | 0xc000_0219), .v6(wellKnown | 0x0a00_0001)])
    #expect(result.accepted == [.v6(wellKnown | 0xc000_0219)])
    #expect(
      result.refused == [
        RefusedAddress(address: .v6(wellKnown | 0x0a00_0001), judgedAs: .v4(0x0a00_0001))
      ])
    #expect(
      result.refused.first?.description
        == "64:ff9b::a00:1 carries 10.0.0.1, which is outside of within")
  }

  @Test func `only the 96 bits of the well-known prefix make a NAT64 address`() {
    let besides: [UInt128] = [
      0x0064_ff9b << 96 | 1 << 32 | 0xc000_0219,
      0x0064_ff9b_0001 << 80 | 0xc000_0219,
      0x0064_ff9a << 96 | 0xc000_0219,
    ]
    #expect(filter.judge(besides.map(IPAddress.v6)).accepted == [])
  }

  @Test func `a NAT64 address inside of within as IPv6 is still judged by what it carries`() {
    let everyV6 = AnswerFilter(within: AddressSet(v6: .full))
    #expect(everyV6.judge([.v6(0x0064_ff9b << 96 | 0x0a00_0001)]).accepted == [])
  }
}
