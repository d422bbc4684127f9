import ConnectionReplay
import NetworkTypes
import Testing

@Suite struct EmbeddedAddressTests {
  @Test func `every form of 10.0.0.1 is the one its document says`() {
    let forms = EmbeddedAddress.allCases.map { "\(IPAddress.v6($0.carrying(0x0a00_0001)))" }
    #expect(
      forms == [
        "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::", "2001::f5ff:fffe", "::ffff:a00:1",
        "::a00:1", "::ffff:0:a00:1", "2a00:1450::5efe:a00:1",
      ])
  }
}
