import NetworkTypes
import Testing

@testable import NameResolution

@Suite struct LiveAddressesTests {
  private let old = IPAddress.v4(0xc000_0201)
  private let new = IPAddress.v6(0x2001_0db8 << 96 | 1)

  @Test func `an address lasts for its time to live and the grace, to the second`() {
    let live = LiveAddresses().renewed(with: [old], timeToLive: 300, grace: 60, now: 1_000)
    #expect(live.expiries == [old: 1_360])
    let last = live.renewed(with: [], timeToLive: 0, grace: 0, now: 1_360)
    #expect(last.addresses == [old])
    let over = live.renewed(with: [], timeToLive: 0, grace: 0, now: 1_361)
    #expect(over.addresses == [])
  }

  @Test func `after a move both addresses are live until the old one expires`() {
    let before = LiveAddresses().renewed(with: [old], timeToLive: 300, grace: 60, now: 1_000)
    let moved = before.renewed(with: [new], timeToLive: 300, grace: 60, now: 1_100)
    #expect(moved.addresses == [old, new])
    let after = moved.renewed(with: [new], timeToLive: 300, grace: 60, now: 1_400)
    #expect(after.expiries == [new: 1_760])
  }

  @Test func `a shorter time to live never shortens a promise already made`() {
    let long = LiveAddresses().renewed(with: [old], timeToLive: 3_600, grace: 0, now: 1_000)
    let short = long.renewed(with: [old], timeToLive: 30, grace: 0, now: 1_001)
    #expect(short.expiries == [old: 4_600])
  }

  @Test func `the end of the clock is a bound, not a trap`() {
    let live = LiveAddresses().renewed(with: [old], timeToLive: 30, grace: 0, now: .max - 1)
    #expect(live.expiries == [old: .max])
  }

  @Test func `a narrower within takes effect on what is live`() {
    let live = LiveAddresses(expiries: [old: 10, new: 20])
    let filter = AnswerFilter(within: AddressSet(v6: .full))
    #expect(live.filtered(by: filter).expiries == [new: 20])
  }
}
