import Glibc
import LinuxSystem
import Testing

@Suite(.enabled(if: KernelAccess.isThere, KernelAccess.reason))
struct NetworkNamespaceTests {
  @Test func `a fresh namespace has nothing but a loopback that is down`() throws {
    let links = try NetworkNamespace.make().run { try RouteSocket().links() }
    #expect(links.map(\.name) == ["lo"])
    #expect(links.map(\.isUp) == [false])
    #expect(links.map(\.index) == [1])
  }

  @Test func `after a body, also one that throws, the thread is back where it was`() throws {
    let home = try NetworkNamespace.current().identity
    let fresh = try NetworkNamespace.make()
    #expect(try NetworkNamespace.current().identity == home)
    #expect(fresh.identity != home)
    #expect(try fresh.run { try NetworkNamespace.current().identity } == fresh.identity)
    #expect(throws: LinuxError.noSuchNamespace("/run/netns/none such")) {
      try fresh.run { try NetworkNamespace.open(.name("none such")) }
    }
    #expect(try NetworkNamespace.current().identity == home)
  }

  @Test func `the machine's own namespace is refused and a fresh one is not`() throws {
    #expect(throws: LinuxError.machinesOwnNamespace) { try NetworkNamespace.assertThrowAway() }
    try NetworkNamespace.make().run { try NetworkNamespace.assertThrowAway() }
    #expect(try NetworkNamespace.current().identity.isMachinesOwn)
    #expect(try !NetworkNamespace.make().identity.isMachinesOwn)
  }

  @Test func `a name, a process and a path are told apart`() {
    #expect(NetworkNamespace.Reference(text: "blue") == .name("blue"))
    #expect(NetworkNamespace.Reference(text: "123") == .process(123))
    #expect(NetworkNamespace.Reference(text: "./n") == .path("./n"))
    #expect(NetworkNamespace.Reference(text: "0") == .name("0"))
  }

  @Test func `a process's namespace opens as the same one`() throws {
    let own = try NetworkNamespace.current().identity
    #expect(try NetworkNamespace.open(.process(getpid())).identity == own)
    #expect(try NetworkNamespace.open(.path("/proc/self/ns/net")).identity == own)
  }

  @Test func `a missing process, a plain file and another kind of namespace are refused`() {
    #expect(throws: LinuxError.noSuchNamespace("/proc/2147483647/ns/net")) {
      try NetworkNamespace.open(.process(.max))
    }
    #expect(throws: LinuxError.notANetworkNamespace("/proc/self/status")) {
      try NetworkNamespace.open(.path("/proc/self/status"))
    }
    #expect(throws: LinuxError.notANetworkNamespace("/proc/self/ns/uts")) {
      try NetworkNamespace.open(.path("/proc/self/ns/uts"))
    }
  }
}
